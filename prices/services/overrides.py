"""Prices set by a person: they beat quotes until they expire or are ended."""

from datetime import datetime
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F

from kernel import confirmation
from kernel.confirmation import Question
from kernel.errors import FieldError, Invalid, NotThere
from kernel.money import checked_amount
from prices.actions.read import actions_counting
from prices.last_price import far_off, last_prices
from prices.models import Instrument, PriceOverride
from prices.notify import publish_changed
from prices.sessions import day_start, sessions


def override_expiry(now: datetime) -> datetime:
    """The end of the business date: 00:00 New York of the next session's date, when it rolls. On
    a Saturday the business date is Friday, and ends on Monday."""
    known = sessions()
    return day_start(known.next_session(known.business_date(now)))


def override_problems(
    *, price: Decimal, reason: str, expires_at: datetime | None, now: datetime
) -> list[FieldError]:
    """The problems of an override, by field; empty when there are none."""
    errors = []
    try:
        checked_amount(price)
    except ValueError as error:
        errors.append(FieldError("invalid", str(error), "price"))
    if not reason.strip():
        errors.append(FieldError("blank", "Say why.", "reason"))
    if expires_at is not None and expires_at <= now:
        errors.append(FieldError("in_past", "This is not in the future.", "expires_at"))
    return errors


def override_question(
    *,
    user: User,
    instrument: Instrument,
    price: Decimal,
    reason: str,
    expires_at: datetime | None,
    now: datetime,
) -> Question:
    """What is asked before an override is set; nothing where it is near the last price."""
    terms = {
        "ticker": instrument.ticker,
        "price": price,
        "reason": reason.strip(),
        "expires_at": expires_at,
    }
    last = last_prices([instrument.pk], now)[instrument.pk]
    return Question("override", user.pk, terms, tuple(far_off(price, last)))


@transaction.atomic
def override_set(
    *,
    user: User,
    ticker: str,
    price: Decimal,
    reason: str,
    expires_at: datetime | None = None,
    confirm: str | None = None,
    now: datetime,
) -> PriceOverride:
    """Set a price by hand from `now` on, and end the one that was active. Raises Invalid, and
    ConfirmationRequired for one far from the last price that `confirm` does not confirm.

    Locks the instrument, so that of two at once the later one is left active.
    """
    instrument = Instrument.objects.select_for_update(no_key=True).filter(ticker=ticker).first()
    errors = override_problems(price=price, reason=reason, expires_at=expires_at, now=now)
    if instrument is None:
        errors.insert(0, FieldError("unknown_ticker", "This ticker is not known.", "ticker"))
    if errors or instrument is None:
        raise Invalid(*errors)
    asked = override_question(
        user=user, instrument=instrument, price=price, reason=reason, expires_at=expires_at, now=now
    )
    confirmation.confirm(asked, token=confirm, now=now)
    PriceOverride.objects.filter(
        instrument=instrument, ended_at__isnull=True, expires_at__gt=now
    ).update(ended_at=now, ended_by=user)
    override = PriceOverride.objects.create(
        instrument=instrument,
        price=price,
        reason=reason.strip(),
        user=user,
        expires_at=expires_at or override_expiry(now),
    )
    publish_changed([instrument.pk])
    return override


@transaction.atomic
def override_end(*, user: User, override_id: int, now: datetime) -> PriceOverride:
    """End an override now. One that has ended or expired stays as it is: a second call is
    harmless. Raises NotThere for an unknown id."""
    override = (
        PriceOverride.objects.select_for_update(of=("self",), no_key=True)
        .select_related("instrument")
        .filter(pk=override_id)
        .first()
    )
    if override is None:
        raise NotThere("There is no such override.")
    if override.ended_at is None and override.expires_at > now:
        override.ended_at, override.ended_by_id = now, user.pk
        override.save(update_fields=["ended_at", "ended_by"])
        publish_changed([override.instrument_id])
    return override


@transaction.atomic
def overrides_expire(*, now: datetime) -> int:
    """Mark the overrides that have expired as ended then, and tell who watches; how many. They
    stop counting at that moment, whether ended here or not."""
    ended_of_old_terms = _end_those_of_old_terms(now)
    expired = PriceOverride.objects.select_for_update(skip_locked=True, no_key=True).filter(
        ended_at__isnull=True, expires_at__lte=now
    )
    found = list(expired.values_list("pk", "instrument_id"))
    PriceOverride.objects.filter(pk__in=[pk for pk, _ in found]).update(ended_at=F("expires_at"))
    publish_changed(instrument for _, instrument in found)
    return len(found) + ended_of_old_terms


def _end_those_of_old_terms(now: datetime) -> int:
    """End the overrides that were set before a corporate action changed what a share is; how
    many. On the ex-date itself marks pass them over (prices.marks)."""
    since: dict[int, datetime] = {}
    for action in actions_counting():
        begins = day_start(action.ex_date)
        if begins <= now and action.changes_shares:
            since[action.instrument] = max(begins, since.get(action.instrument, begins))
    if not since:
        return 0
    still = PriceOverride.objects.filter(
        ended_at__isnull=True, expires_at__gt=now, instrument__in=since
    )
    old = [o for o in still if o.created_at < since[o.instrument_id]]
    PriceOverride.objects.filter(pk__in=[o.pk for o in old]).update(ended_at=now)
    publish_changed(o.instrument_id for o in old)
    return len(old)
