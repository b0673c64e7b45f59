"""Corporate actions are proposed, amended, confirmed and cancelled by people, in versions.

Each version holds all terms, and each decision is a row of its own: nothing is rewritten. A further
version of an action that counts is a proposal, and what counted goes on counting until that is
confirmed. Whoever listens to `actions_decided` hears of a decision in its own transaction.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import uuid_utils
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from kernel.actions import ONE, ZERO, references, related
from kernel.errors import Conflict, FieldError, Invalid, NotEntitled, NotThere
from kernel.locks import Lock, transaction_lock
from prices.actions.closes_before import closes_before
from prices.actions.read import action_id, actions_counting, as_action, versions_of
from prices.actions.terms import LegTerms, Terms, completed, terms_problems
from prices.hooks import actions_decided
from prices.models import (
    ActionStatus,
    CashInLieu,
    CorporateAction,
    CorporateActionDecision,
    CorporateActionLeg,
    CorporateActionVersion,
    Instrument,
)
from prices.sessions import sessions

Decision = CorporateActionDecision.Decision


class StaleVersion(Conflict):
    code = "stale_version"
    detail = "It was changed meanwhile: read it again."


class DuplicateAction(Conflict):
    code = "duplicate_action"
    detail = "There is an action of this instrument, ex-date and sequence already."


class ActionCancelled(Conflict):
    code = "cancelled"
    detail = "A cancelled action stays as it is; propose another."


class AnotherPerson(NotEntitled):
    code = "another_person"
    detail = "Who proposed it may not confirm it: another person must."


@transaction.atomic
def action_propose(*, user: User, terms: Terms, reason: str) -> CorporateAction:
    """Propose an action: its first version. Raises Invalid, and DuplicateAction where another one
    of this instrument, ex-date and sequence counts or may yet."""
    transaction_lock(Lock.ACTIONS_WRITE)
    terms, instruments = _checked(terms, reason)
    instrument = instruments[terms.ticker]
    _refuse_duplicate(instrument, terms, besides=None)
    action = CorporateAction.objects.create(
        id=UUID(bytes=uuid_utils.uuid7().bytes),
        instrument=instrument,
        kind=terms.kind,
        ex_date=terms.ex_date,
        sequence=terms.sequence,
    )
    _refuse_negative(_write(action, terms, instruments, user, reason), action)
    return action


@transaction.atomic
def action_amend(
    *, user: User, action_id: UUID, version: int, changed: Mapping[str, Any], reason: str
) -> CorporateAction:
    """Propose another version: the latest terms with what is `changed`. What counts goes on
    counting until it is confirmed. Raises Invalid, StaleVersion, ActionCancelled, NotThere."""
    transaction_lock(Lock.ACTIONS_WRITE)
    action = _locked(action_id)
    _refuse_stale(action, version)
    terms = replace(terms_of(versions_of(action)[-1], action.instrument.ticker), **changed)
    terms, instruments = _checked(terms, reason)
    _refuse_duplicate(action.instrument, terms, besides=action)
    action.version += 1
    action.status = ActionStatus.PROPOSED
    if action.confirmed_version is None:
        action.kind, action.ex_date, action.sequence = terms.kind, terms.ex_date, terms.sequence
    action.save(update_fields=CorporateAction.CHANGEABLE)
    _refuse_negative(_write(action, terms, instruments, user, reason), action)
    return action


@transaction.atomic
def action_confirm(*, user: User, action_id: UUID, version: int, reason: str) -> CorporateAction:
    """Make the latest version count. A second call is harmless. Raises StaleVersion,
    ActionCancelled, AnotherPerson, and Invalid where the closes that there are would make a
    reference negative."""
    transaction_lock(Lock.ACTIONS_WRITE)
    action = _locked(action_id)
    _refuse_stale(action, version)
    if action.confirmed_version == version:
        return action
    confirmed = versions_of(action)[-1]
    if settings.ACTIONS_FOUR_EYES and confirmed.actor_id == user.pk:
        raise AnotherPerson
    _refuse_blank(reason)
    _refuse_negative(confirmed, action)
    _refuse_duplicate(action.instrument, confirmed, besides=action)
    touched = {action.instrument_id, *_instruments(confirmed)}
    if action.confirmed_version is not None:
        touched |= _instruments(_version(action, action.confirmed_version))
    action.kind, action.ex_date = confirmed.kind, confirmed.ex_date
    action.sequence, action.confirmed_version = confirmed.sequence, version
    action.status = ActionStatus.CONFIRMED
    action.save(update_fields=CorporateAction.CHANGEABLE)
    _decide(confirmed, Decision.CONFIRMED, user, reason)
    _list_or_delist(action.instrument)
    actions_decided(touched)
    return action


@transaction.atomic
def action_cancel(*, user: User, action_id: UUID, version: int, reason: str) -> CorporateAction:
    """Cancel the action, or withdraw a version that was proposed beside one that counts: `version`
    says which. A second call is harmless. Raises StaleVersion, NotThere, Invalid."""
    transaction_lock(Lock.ACTIONS_WRITE)
    action = _locked(action_id)
    if action.status == ActionStatus.CANCELLED:
        return action
    if version not in (action.version, action.confirmed_version):
        raise StaleVersion
    _refuse_blank(reason)
    if action.confirmed_version is not None and version != action.confirmed_version:
        _decide(_version(action, version), Decision.WITHDRAWN, user, reason)
        action.status = ActionStatus.CONFIRMED
        # The number of what was withdrawn is used up.
        action.save(update_fields=CorporateAction.CHANGEABLE)
        return action
    counted = action.confirmed_version
    touched = {action.instrument_id}
    if counted is not None:
        touched |= _instruments(_version(action, counted))
    _decide(_version(action, version), Decision.CANCELLED, user, reason)
    action.status, action.confirmed_version = ActionStatus.CANCELLED, None
    action.save(update_fields=CorporateAction.CHANGEABLE)
    if counted is not None:
        _list_or_delist(action.instrument)
        actions_decided(touched)
    return action


def terms_of(version: CorporateActionVersion, ticker: str) -> Terms:
    """The terms of a version, as people give them."""
    return Terms(
        kind=version.kind,
        ticker=ticker,
        ex_date=version.ex_date,
        sequence=version.sequence,
        keep_new=version.keep_new,
        keep_old=version.keep_old,
        fractions=version.fractions,
        cash=version.cash,
        cash_is_income=version.cash_is_income,
        cost_to_cash=version.cost_to_cash,
        legs=tuple(
            LegTerms(leg.instrument.ticker, leg.new, leg.old, leg.cost_share)
            for leg in version.legs.all()
        ),
        cash_in_lieu={each.instrument.ticker: each.price for each in version.in_lieu.all()},
        pay_date=version.pay_date,
    )


def _checked(terms: Terms, reason: str) -> tuple[Terms, dict[str, Instrument]]:
    """The terms completed, and the instruments of their tickers. Raises Invalid."""
    terms = completed(terms)
    tickers = {terms.ticker, *(leg.ticker for leg in terms.legs)}
    instruments = {i.ticker: i for i in Instrument.objects.filter(ticker__in=tickers)}
    errors = []
    for ticker in sorted(tickers - instruments.keys()):
        attr = "ticker" if ticker == terms.ticker else "legs"
        errors.append(FieldError("unknown_ticker", f"{ticker} is not known.", attr))
    if not sessions().is_tradable(terms.ex_date):
        errors.append(
            FieldError("no_session", f"There is no session on {terms.ex_date}.", "ex_date")
        )
    errors += terms_problems(terms)
    if not reason.strip():
        errors.append(FieldError("blank", "Say why.", "reason"))
    if errors:
        raise Invalid(*errors)
    return terms, instruments


def _write(
    action: CorporateAction,
    terms: Terms,
    instruments: Mapping[str, Instrument],
    user: User,
    reason: str,
) -> CorporateActionVersion:
    version = CorporateActionVersion.objects.create(
        action=action,
        version=action.version,
        kind=terms.kind,
        ex_date=terms.ex_date,
        sequence=terms.sequence,
        keep_new=terms.keep_new or ZERO,
        keep_old=terms.keep_old or ONE,
        cash=terms.cash,
        cash_is_income=bool(terms.cash_is_income),
        cost_to_cash=terms.cost_to_cash,
        fractions=terms.fractions,
        pay_date=terms.pay_date,
        actor=user,
        reason=reason.strip(),
    )
    CorporateActionLeg.objects.bulk_create(
        CorporateActionLeg(
            version=version,
            instrument=instruments[leg.ticker],
            new=leg.new,
            old=leg.old,
            cost_share=leg.cost_share or ZERO,
        )
        for leg in terms.legs
    )
    prices: Mapping[str, Decimal] = (
        terms.cash_in_lieu if isinstance(terms.cash_in_lieu, Mapping) else {}
    )
    CashInLieu.objects.bulk_create(
        CashInLieu(version=version, instrument=instruments[ticker], price=price)
        for ticker, price in sorted(prices.items())
    )
    return version


def _refuse_negative(version: CorporateActionVersion, action: CorporateAction) -> None:
    """Raise Invalid where the closes that there are make the reference negative: until they are
    there it cannot be told."""
    own = as_action(version, action.instrument_id)
    others = [each for each in actions_counting() if action_id(each) != action.pk]
    of_day = [each for each in (*others, own) if each.ex_date == version.ex_date]
    instruments = related([action.instrument_id], of_day)
    before = closes_before(instruments, version.ex_date)
    found = references((each for each in of_day if each.instrument in instruments), before, {})
    reference = found.get(action.instrument_id)
    if reference is not None and reference < 0:
        detail = f"The reference on {version.ex_date} would be {reference.normalize():f}."
        raise Invalid(FieldError("negative_reference", detail, "legs"))


def _list_or_delist(instrument: Instrument) -> None:
    """Where nothing is left of an instrument it trades no more from the ex-date on; where that is
    taken back, it does again."""
    ends = [a.ex_date for a in actions_counting() if a.instrument == instrument.pk and a.ends]
    since = min(ends, default=None)
    if since is not None:
        Instrument.objects.filter(pk=instrument.pk).update(is_active=False, inactive_since=since)
    elif instrument.inactive_since is not None and _ended_on(instrument, instrument.inactive_since):
        Instrument.objects.filter(pk=instrument.pk).update(is_active=True, inactive_since=None)


def _ended_on(instrument: Instrument, day: date) -> bool:
    """True if it was an action that said since when it is not listed."""
    return CorporateActionVersion.objects.filter(
        action__instrument=instrument,
        keep_new=0,
        ex_date=day,
        decisions__decision=Decision.CONFIRMED,
    ).exists()


def _locked(action_id: UUID) -> CorporateAction:
    found = (
        CorporateAction.objects.select_for_update(of=("self",), no_key=True)
        .select_related("instrument")
        .filter(pk=action_id)
        .first()
    )
    if found is None:
        raise NotThere("There is no such action.")
    return found


def _version(action: CorporateAction, version: int) -> CorporateActionVersion:
    return CorporateActionVersion.objects.get(action=action, version=version)


def _decide(version: CorporateActionVersion, decision: Decision, user: User, reason: str) -> None:
    CorporateActionDecision.objects.create(
        version=version, decision=decision, actor=user, reason=reason.strip()
    )


def _instruments(version: CorporateActionVersion) -> set[int]:
    return set(version.legs.values_list("instrument_id", flat=True))


def _refuse_blank(reason: str) -> None:
    if not reason.strip():
        raise Invalid(FieldError("blank", "Say why.", "reason"))


def _refuse_stale(action: CorporateAction, version: int) -> None:
    if action.status == ActionStatus.CANCELLED:
        raise ActionCancelled
    if action.version != version:
        raise StaleVersion


def _refuse_duplicate(
    instrument: Instrument,
    terms: Terms | CorporateActionVersion,
    *,
    besides: CorporateAction | None,
) -> None:
    others = CorporateAction.objects.filter(
        instrument=instrument, ex_date=terms.ex_date, sequence=terms.sequence
    ).exclude(status=ActionStatus.CANCELLED)
    if besides is not None:
        others = others.exclude(pk=besides.pk)
    if others.exists():
        raise DuplicateAction
