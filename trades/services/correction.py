"""Amending and cancelling: a new version, and the entries that take the old terms back.

A caller names the version that they saw; whoever comes second gets StaleVersion and looks again.
Locks, in this order everywhere: accounts by id (only those that may not go short), then the trade.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Q

from accounts.models import Account, Counterparty, Named, Strategy
from accounts.selectors import Rights, account_rights, codes_known
from kernel.errors import Conflict, FieldError, Invalid, NotEntitled, NotThere
from kernel.pnl import signed
from prices.models import Instrument
from prices.names import names_of, why_unknown
from prices.sessions import sessions
from trades.bookings import price_zero_refused
from trades.fee_kinds import Fee, amounts, total
from trades.guards.answers import NOTHING_FOUND, Answer, confirmed
from trades.guards.judge import Terms, amendment_judge, cancellations_judge
from trades.guards.judge import terms_of as guarded
from trades.models import Status, Trade
from trades.selectors import fees_of
from trades.services.known import code_refused, date_refused, settlement_refused
from trades.services.limits import Key, accounts_lock, refuse_beyond_limits
from trades.services.recording import trade_write_amended, trades_write_cancelled
from trades.terms import AMENDABLE, FEES, SETTLEMENT, Amendment


class StaleVersion(Conflict):
    code = "stale_version"
    detail = "The trade has a newer version: read it again."


class TradeAlreadyCancelled(Conflict):
    code = "already_cancelled"
    detail = "The trade is cancelled."


class NothingChanged(Invalid):
    def __init__(self) -> None:
        super().__init__(
            FieldError("nothing_changed", "These are the terms that the trade has already.")
        )


def trade_amend(
    *,
    user: AbstractBaseUser,
    trade_id: UUID,
    version: int,
    reason: str,
    terms: Amendment,
    confirm: str | None = None,
    now: datetime,
) -> Trade:
    """Give the trade new terms. Raises NotThere (not in sight), NotEntitled, StaleVersion,
    TradeAlreadyCancelled, Invalid (by field; without a reason or when nothing would change),
    ConfirmationRequired where guards ask and `confirm` does not confirm it."""
    _refuse_no_reason(reason)
    rights = _rights_of(user)
    with transaction.atomic():
        seen = _in_sight(trade_id, rights)
        entered = _account_entered(terms, seen, rights)
        _may_correct(user, seen, [rights[seen.account_id], rights[entered.pk]], now)
        accounts_lock([seen.account, entered], [seen.instrument, *_instrument_named(terms)])
        trade = _locked(seen, version)
        # Again: what they may do can depend on the trade date, and that on the version.
        _may_correct(user, trade, [rights[trade.account_id], rights[entered.pk]], now)
        paid = fees_of(trade.pk, [version]).get(version, ()) if trade.fees is not None else ()
        before, left, stood = _terms_of(trade, paid), trade.account_id, guarded(trade)
        added = _added(trade, -1)
        fees = _take(trade, terms, paid, entered, now)
        if _terms_of(trade, fees) == before:
            raise NothingChanged
        for key, changes in _added(trade, 1).items():
            moved = added.setdefault(key, {})
            for day, quantity in changes.items():
                moved[day] = moved.get(day, Decimal(0)) + quantity
        today = sessions().business_date(now)
        refuse_beyond_limits(added, today=today, traded=_traded(stood, guarded(trade), today))
        answer = _asked_of_amendment(user, trade, fees, stood, version, reason, confirm, now)
        trade_write_amended(
            trade, fees=fees, left=left, actor=user.pk, reason=reason, answer=answer
        )
    trade.version, trade.status = trade.version + 1, Status.AMENDED
    return trade


def trade_cancel(
    *,
    user: AbstractBaseUser,
    trade_id: UUID,
    version: int,
    reason: str,
    confirm: str | None = None,
    now: datetime,
) -> Trade:
    """Cancel the trade for good. Raises as `trade_amend` does."""
    _refuse_no_reason(reason)
    rights = _rights_of(user)
    with transaction.atomic():
        seen = _in_sight(trade_id, rights)
        _may_correct(user, seen, [rights[seen.account_id]], now)
        accounts_lock([seen.account], [])
        trade = _locked(seen, version)
        _may_correct(user, trade, [rights[trade.account_id]], now)
        refuse_beyond_limits(_added(trade, -1), may_grow=True)
        trades_write_cancelled(
            [trade.pk],
            actor=user.pk,
            reason=reason,
            answer=_asked_of_cancellation(user, trade, reason, confirm, now),
            versions={str(trade.pk): trade.version},
        )
    trade.version, trade.status = trade.version + 1, Status.CANCELLED
    return trade


def _asked_of_amendment(
    user: AbstractBaseUser,
    trade: Trade,
    fees: Sequence[Fee],
    stood: Terms,
    version: int,
    reason: str,
    confirm: str | None,
    now: datetime,
) -> Answer:
    """The answer of the guards to the trade's new terms; `stood` are the old ones. What moves
    nothing in the ledger, as a note does, is not asked about."""
    new = guarded(trade)
    if new == stood or not trade.account.guards_version:
        return NOTHING_FOUND
    versions = {trade.account_id: trade.account.guards_version}
    found = amendment_judge(stood, new, versions, trade_id=trade.pk, known=sessions(), now=now)
    terms = _terms_of(trade, fees)
    return confirmed(
        "amendment",
        user=user.pk,
        terms={**terms, "trade": trade.pk, "version": version, "reason": reason.strip()},
        found={str(trade.pk): found} if found else {},
        doubts=[each.error for each in found],
        token=confirm,
        now=now,
    )


def _asked_of_cancellation(
    user: AbstractBaseUser, trade: Trade, reason: str, confirm: str | None, now: datetime
) -> Answer:
    if not trade.account.guards_version:
        return NOTHING_FOUND
    versions = {trade.account_id: trade.account.guards_version}
    (found,) = cancellations_judge([guarded(trade)], versions, known=sessions(), now=now)
    return confirmed(
        "cancellation",
        user=user.pk,
        terms={"trade": trade.pk, "version": trade.version, "reason": reason.strip()},
        found={str(trade.pk): found} if found else {},
        doubts=[each.error for each in found],
        token=confirm,
        now=now,
    )


def correction_allowed(*, user: AbstractBaseUser, trade: Trade, now: datetime) -> bool:
    """True if the user may correct the trade where it is, before they try."""
    rights = _rights_of(user).get(trade.account_id)
    try:
        _may_correct(user, trade, [] if rights is None else [rights], now)
    except NotEntitled:
        return False
    return rights is not None


def _refuse_no_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid(FieldError("blank", "Say why: a correction needs a reason.", "reason"))


def _rights_of(user: AbstractBaseUser) -> dict[int, Rights]:
    return {r.account.pk: r for r in account_rights(user)}


def _in_sight(trade_id: UUID, rights: dict[int, Rights]) -> Trade:
    found = (
        Trade.objects.filter(pk=trade_id, account__in=list(rights))
        .select_related("account", "instrument")
        .first()
    )
    if found is None:
        raise NotThere("There is no such trade.")
    return found


def _account_entered(terms: Amendment, seen: Trade, rights: dict[int, Rights]) -> Account:
    if terms.account is None:
        return seen.account
    for right in rights.values():
        if right.account.code == terms.account:
            return right.account
    raise Invalid(FieldError("unknown_account", "You have no account of this code.", "account"))


def _instrument_named(terms: Amendment) -> list[Instrument]:
    """Every instrument that the ticker of the new terms means or meant."""
    if not terms.ticker:
        return []
    return list(
        Instrument.objects.filter(
            Q(ticker=terms.ticker) | Q(aliases__ticker=terms.ticker)
        ).distinct()
    )


def _locked(seen: Trade, version: int) -> Trade:
    """Lock the trade and read it again. Its account can only have changed with its version, so a
    caller whose version still holds has locked the right accounts.

    No join here: a trade that another session moves while this one waits for the lock would match
    its account in the old snapshot only, and the row would be gone from the result.
    """
    trade = Trade.objects.select_for_update().get(pk=seen.pk)
    if trade.status == Status.CANCELLED:
        raise TradeAlreadyCancelled
    if trade.version != version or trade.account_id != seen.account_id:
        raise StaleVersion(f"The trade is at version {trade.version}: read it again.")
    trade.account = seen.account
    if trade.instrument_id == seen.instrument_id:
        trade.instrument = seen.instrument
    return trade


def _may_correct(user: AbstractBaseUser, trade: Trade, rights: list[Rights], now: datetime) -> None:
    if all(r.can_correct for r in rights):
        return
    own = trade.booked_by_id == user.pk
    today = sessions().business_date(now) == trade.trade_date
    if own and today and all(r.can_book for r in rights):
        return
    lacking = [r for r in rights if not (r.can_correct or (own and today and r.can_book))]
    codes = ", ".join(dict.fromkeys(r.account.code for r in lacking or rights))
    raise NotEntitled(f"You may not correct this trade in {codes}.")


def _take(
    trade: Trade, terms: Amendment, paid: Sequence[Fee], entered: Account, now: datetime
) -> Sequence[Fee]:
    """Put the new terms into the trade, and return its fees, which were `paid`; raises Invalid with
    everything that is wrong."""
    errors: list[FieldError] = []
    trade.account = entered
    if terms.ticker is not None:
        names = names_of([terms.ticker])
        name = names.on(terms.ticker, terms.trade_date or trade.trade_date)
        if name is None:
            detail = why_unknown(names, terms.ticker)
            errors.append(FieldError("unknown_ticker", detail, "ticker"))
        else:
            trade.instrument = Instrument.objects.get(pk=name.pk)
    if terms.trade_date is not None:
        known = sessions()
        refused = date_refused(terms.trade_date, known, known.business_date(now), now)
        if refused is not None:
            errors.append(refused)
    errors += _price_zero_refused(trade, terms)
    errors += _settlement_taken(trade, terms)
    errors += _codes_taken(trade, terms)
    if errors:
        raise Invalid(*errors)
    for term in AMENDABLE:
        value = getattr(terms, term.name)
        if not term.is_reference and term not in (SETTLEMENT, FEES) and value is not None:
            setattr(trade, term.name, None if value == "" and term.may_be_null else value)
    if terms.fees is None:
        return paid
    trade.fees = total(terms.fees) if terms.fees else None
    stood = {(fee.kind, fee.amount): fee for fee in paid}
    return [stood.get((fee.kind, fee.amount), fee) for fee in terms.fees]


def _settlement_taken(trade: Trade, terms: Amendment) -> list[FieldError]:
    """Set the settlement date. One that followed from the trade date follows from the new one."""
    day = terms.trade_date or trade.trade_date
    settles = terms.settlement_date or trade.settlement_date
    if settles is None:
        return []
    known = sessions()
    if terms.settlement_date is None and settles == known.settlement_day(trade.trade_date):
        settles = known.settlement_day(day) if known.is_session(day) else settles
    else:
        said = known if terms.settlement_date is not None else None
        if (refused := settlement_refused(settles, day, said)) is not None:
            return [refused]
    trade.settlement_date = settles
    return []


def _codes_taken(trade: Trade, terms: Amendment) -> list[FieldError]:
    """Set strategy and counterparty: an empty text takes one away, and one that stands already may
    be inactive."""
    errors = []
    kinds: tuple[tuple[str, type[Named]], ...] = (
        ("strategy", Strategy), ("counterparty", Counterparty),
    )  # fmt: skip
    for name, kind in kinds:
        code = getattr(terms, name)
        if code is None:
            continue
        known = codes_known(kind, [code])
        meant = known.get(code)
        stands = getattr(trade, f"{name}_id")
        if code == "":
            setattr(trade, f"{name}_id", None)
        elif meant is not None and meant.pk == stands:
            continue
        elif (refused := code_refused(name, code, known)) is not None:
            errors.append(refused)
        elif meant is not None:
            setattr(trade, f"{name}_id", meant.pk)
    return errors


def _price_zero_refused(trade: Trade, terms: Amendment) -> list[FieldError]:
    """A price that is 0 already was said to be; its note may change, not go."""
    price = trade.price if terms.price is None else terms.price
    note = trade.note if terms.note is None else terms.note
    said = bool(terms.price_zero) or price == trade.price == 0
    return price_zero_refused(price, said=said, note=note)


def _terms_of(trade: Trade, fees: Sequence[Fee]) -> dict[str, Any]:
    """What an amendment may change, as it stands in the trade, whose fees these are."""
    terms = {term.name: getattr(trade, term.column) for term in AMENDABLE}
    return {**terms, FEES.name: amounts(fees)}


def _traded(stood: Terms, new: Terms, today: date) -> dict[int, Decimal]:
    """What new terms add to the notional of the business date, by account."""
    found: dict[int, Decimal] = {}
    for terms, sign in ((stood, -1), (new, 1)):
        if terms.trade_date == today:
            notional = sign * terms.quantity * terms.price
            found[terms.account_id] = found.get(terms.account_id, Decimal(0)) + notional
    return found


def _added(trade: Trade, sign: int) -> dict[Key, dict[date, Decimal]]:
    """The quantity that the trade's present terms add to its key (`sign` = 1), or take back
    (-1)."""
    quantity = sign * signed(trade.side, trade.quantity)
    return {(trade.account_id, trade.instrument_id): {trade.trade_date: quantity}}
