"""Alerts, set, changed and deleted by their users, each for themselves."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import uuid_utils
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Max, Q

from accounts.models import Account
from accounts.selectors import viewable, viewable_accounts
from blotter.alert_rules import ARMED, HOLDS, KINDS, MOST_MINUTES, OFF, SILENT, STALE, Shape
from blotter.models import Alert, AlertFiring
from kernel.database import RecordedAt
from kernel.errors import FieldError, Invalid, NotThere
from prices.models import Instrument

MOST = 50
"""Of one person."""


@dataclass(frozen=True)
class Wanted:
    """What somebody wants to be told of. `level` None where the kind has none."""

    kind: str
    account: str | None = None
    ticker: str | None = None
    way: str | None = None
    level: Decimal | None = None
    is_once: bool = False
    is_active: bool = True


@dataclass(frozen=True)
class Listed:
    """An alert as its user is shown it: `SILENT` while they may not view its account."""

    alert: Alert
    state: str
    last_fired_at: datetime | None


def alerts_of(user: AbstractBaseUser) -> list[Listed]:
    """The user's own, oldest first."""
    found = Alert.objects.filter(user_id=user.pk).select_related("account", "instrument", "user")
    alerts: list[Any] = list(
        found.annotate(
            last_fired_at=Max("firings__opened_at"),
            open_since=Max("firings__opened_at", filter=Q(firings__closed_at=None)),
        )
    )
    spoken = {alert.pk for alert in allowed(alerts)}
    return [Listed(alert, _state(alert, spoken), alert.last_fired_at) for alert in alerts]


def _state(alert: Any, spoken: set[UUID]) -> str:
    if not alert.is_active:
        return OFF
    if alert.pk not in spoken:
        return SILENT
    return ARMED if alert.open_since is None else HOLDS


def allowed(alerts: Iterable[Alert]) -> list[Alert]:
    """Those whose user is active and may view the account that they are of, in one query."""
    found = [alert for alert in alerts if alert.user.is_active]
    pairs = {(a.user_id, a.account.code) for a in found if a.account is not None}
    may = viewable(pairs) if pairs else {}
    return [a for a in found if a.account is None or (a.user_id, a.account.code) in may]


@transaction.atomic
def alert_set(*, user: AbstractBaseUser, wanted: Wanted, now: datetime) -> Listed:
    """Set one more. Raises Invalid for what its kind does not have or lacks, for an account that
    the user may not view, a ticker that is not known, and beyond so many."""
    account, instrument = _checked(user, wanted)
    # One at a time for each user, so that the count holds.
    get_user_model().objects.select_for_update(no_key=True).get(pk=user.pk)
    if Alert.objects.filter(user_id=user.pk).count() >= MOST:
        said = f"You have {MOST} alerts: delete one first."
        raise Invalid(FieldError("too_many", said, "kind"))
    alert = Alert.objects.create(
        id=UUID(bytes=uuid_utils.uuid7().bytes),
        user_id=user.pk,
        kind=wanted.kind,
        account=account,
        instrument=instrument,
        way=wanted.way or "",
        level=wanted.level,
        is_once=wanted.is_once,
        is_active=wanted.is_active,
        set_at=now,
    )
    return alert_of(user, alert.pk)


@transaction.atomic
def alert_change(
    *, user: AbstractBaseUser, alert_id: UUID, wanted: Wanted, now: datetime
) -> Listed:
    """Put `wanted` in the place of the user's own alert, of the same kind, account and ticker. It
    is armed anew: a firing that is open ends. Raises Invalid and NotThere."""
    alert = _own(user, alert_id)
    account, instrument = _checked(user, wanted)
    of = (wanted.kind, account and account.pk, instrument and instrument.pk)
    if of != (alert.kind, alert.account_id, alert.instrument_id):
        said = "What an alert is of does not change: delete it, and set another one."
        raise Invalid(FieldError("fixed", said, "kind"))
    Alert.objects.filter(pk=alert.pk).update(
        way=wanted.way or "",
        level=wanted.level,
        is_once=wanted.is_once,
        is_active=wanted.is_active,
        set_at=now,
        trades_to=RecordedAt(),
    )
    AlertFiring.objects.filter(alert=alert, closed_at=None).update(closed_at=now)
    return alert_of(user, alert.pk)


def alert_delete(*, user: AbstractBaseUser, alert_id: UUID) -> None:
    """Delete it, with what it told. Raises NotThere."""
    with transaction.atomic():
        _own(user, alert_id).delete()


def alert_of(user: AbstractBaseUser, alert_id: UUID) -> Listed:
    """The user's own of this id. Raises NotThere."""
    for listed in alerts_of(user):
        if listed.alert.pk == alert_id:
            return listed
    raise NotThere("You have no such alert.")


def _own(user: AbstractBaseUser, alert_id: UUID) -> Alert:
    found = Alert.objects.select_for_update(no_key=True)
    alert = found.filter(pk=alert_id, user_id=user.pk).first()
    if alert is None:
        raise NotThere("You have no such alert.")
    return alert


def _checked(user: AbstractBaseUser, wanted: Wanted) -> tuple[Account | None, Instrument | None]:
    """What it is of. Raises Invalid, with all that is wrong."""
    shape = KINDS[wanted.kind]
    errors = _misshapen(shape, wanted)
    account = instrument = None
    if wanted.account is not None and shape.may_have_account:
        account = next(iter(viewable_accounts(user, [wanted.account])), None)
        if account is None:
            errors.append(FieldError("does_not_exist", "You have no such account.", "account"))
    if wanted.ticker is not None and shape.may_have_ticker:
        instrument = Instrument.objects.filter(ticker=wanted.ticker).first()
        if instrument is None:
            errors.append(FieldError("unknown_ticker", "No instrument has this ticker.", "ticker"))
    if errors:
        raise Invalid(*errors)
    return account, instrument


def _misshapen(shape: Shape, wanted: Wanted) -> list[FieldError]:
    errors = []
    has = {"account": wanted.account is not None, "ticker": wanted.ticker is not None}
    if shape.of == "either":
        if has["account"] == has["ticker"]:
            said = "Name an account or a ticker, not both."
            errors.append(FieldError("one_of", said, "account"))
    else:
        for name, given in has.items():
            needed = shape.of in (name, "both")
            errors += _needed_or_none(name, needed=needed, given=given)
    errors += _needed_or_none("way", needed=shape.has_way, given=wanted.way is not None)
    errors += _needed_or_none("level", needed=shape.has_level, given=wanted.level is not None)
    if wanted.kind == STALE and wanted.level is not None:
        whole = wanted.level == wanted.level.to_integral_value()
        if not whole or not 1 <= wanted.level <= MOST_MINUTES:
            said = f"Whole minutes, from 1 to {MOST_MINUTES}."
            errors.append(FieldError("minutes", said, "level"))
    return errors


def _needed_or_none(name: str, *, needed: bool, given: bool) -> list[FieldError]:
    if needed and not given:
        return [FieldError("required", "An alert of this kind needs it.", name)]
    if given and not needed:
        return [FieldError("not_allowed", "An alert of this kind has none.", name)]
    return []
