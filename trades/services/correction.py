"""Amending and cancelling: a new version, and the entries that take the old terms back.

A caller names the version that they saw; whoever comes second gets StaleVersion and looks again.
Locks, in this order everywhere: accounts by id (only those that may not go short), then the trade.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from accounts.models import Account
from accounts.selectors import Rights, account_rights
from kernel.errors import Conflict, FieldError, Invalid, NotEntitled, NotThere
from prices.models import Instrument
from prices.sessions import sessions
from trades.ledger.entries import Entry, entries_of
from trades.models import Status, Trade
from trades.services.limits import (
    accounts_lock,
    refuse_increases_of_inactive,
    refuse_shorts,
)
from trades.services.recording import entries_save, entry_of, leg_of, version_of


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


@dataclass(frozen=True)
class Terms:
    """What an amendment may change. None leaves a term as it is."""

    account: str | None = None
    ticker: str | None = None
    side: str | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    trade_date: date | None = None
    note: str | None = None


def trade_amend(
    *,
    user: AbstractBaseUser,
    trade_id: UUID,
    version: int,
    reason: str,
    terms: Terms,
    now: datetime,
) -> Trade:
    """Give the trade new terms. Raises NotThere (not in sight), NotEntitled, StaleVersion,
    TradeAlreadyCancelled, Invalid (by field; without a reason or when nothing would change)."""
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
        old = leg_of(trade)
        _take(trade, terms, entered, now)
        new = leg_of(trade)
        if old == new and (terms.note is None or terms.note == seen.note):
            raise NothingChanged
        entries = entries_of(old, new)
        if (old.account_id, old.instrument_id, old.side, old.quantity) != (
            new.account_id, new.instrument_id, new.side, new.quantity,
        ):  # fmt: skip
            refuse_increases_of_inactive(entries)
        _record(trade, Status.AMENDED, user, reason, entries)
    return trade


def trade_cancel(
    *, user: AbstractBaseUser, trade_id: UUID, version: int, reason: str, now: datetime
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
        _record(trade, Status.CANCELLED, user, reason, entries_of(leg_of(trade), None))
    return trade


def correction_allowed(*, user: AbstractBaseUser, trade: Trade, now: datetime) -> bool:
    """Whether the user may correct the trade where it is, before they try."""
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


def _account_entered(terms: Terms, seen: Trade, rights: dict[int, Rights]) -> Account:
    if terms.account is None:
        return seen.account
    for right in rights.values():
        if right.account.code == terms.account:
            return right.account
    raise Invalid(FieldError("unknown_account", "You have no account of this code.", "account"))


def _instrument_named(terms: Terms) -> list[Instrument]:
    return list(Instrument.objects.filter(ticker=terms.ticker)) if terms.ticker else []


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


def _take(trade: Trade, terms: Terms, entered: Account, now: datetime) -> None:
    """Put the new terms into the trade; raises Invalid with everything that is wrong."""
    errors: list[FieldError] = []
    trade.account = entered
    if terms.ticker is not None:
        instrument = Instrument.objects.filter(ticker=terms.ticker).first()
        if instrument is None:
            errors.append(FieldError("unknown_ticker", "This ticker is not known.", "ticker"))
        else:
            trade.instrument = instrument
    if terms.trade_date is not None:
        known = sessions()
        if terms.trade_date > known.business_date(now):
            errors.append(FieldError("in_future", "This is in the future.", "trade_date"))
        elif not known.is_tradable(terms.trade_date):
            errors.append(
                FieldError("no_session", "This is no session of the exchange.", "trade_date")
            )
        trade.trade_date = terms.trade_date
    if errors:
        raise Invalid(*errors)
    for name in ("side", "quantity", "price", "note"):
        value = getattr(terms, name)
        if value is not None:
            setattr(trade, name, value)


def _record(
    trade: Trade, status: Status, user: AbstractBaseUser, reason: str, entries: list[Entry]
) -> None:
    """Write the next version and its entries, and wake the readers on commit."""
    refuse_shorts(entries)
    trade.version += 1
    trade.status = status
    trade.save(
        update_fields=[
            "account", "instrument", "side", "quantity", "price", "trade_date", "note", "version",
            "status",
        ]
    )  # fmt: skip
    version = version_of(trade, actor_id=user.pk, reason=reason)
    version.save()
    entries_save(entry_of(e, version) for e in entries)
