"""Booking: check, write three rows in one transaction, answer. Positions follow by themselves."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import cast
from uuid import UUID

import uuid_utils
from django.contrib.auth.models import AbstractBaseUser, User
from django.db import connection, transaction

from accounts.models import Account
from accounts.selectors import rights_in
from kernel.clock import new_york
from kernel.errors import Conflict, FieldError, Invalid, NotEntitled
from prices.models import Instrument
from prices.sessions import Sessions, sessions
from trades.bookings import Booking, sends_terms, terms_hash
from trades.ledger.entries import entries_of
from trades.models import ClientTradeId, Trade, TradeVersion
from trades.services.limits import (
    accounts_lock,
    refuse_increases_of_inactive,
    refuse_shorts,
)
from trades.services.recording import entries_save, entry_of, leg_of, version_of


@dataclass(frozen=True)
class Booked:
    """`is_new` is False when the same `client_trade_id` had booked this trade before."""

    trade: Trade
    is_new: bool


class UnknownAccount(Invalid):
    def __init__(self) -> None:
        super().__init__(
            FieldError("unknown_account", "You have no account of this code.", "account")
        )


class ClientTradeIdTaken(Conflict):
    code = "client_trade_id_taken"
    detail = "This client_trade_id has booked a trade with other terms."


class MovedOutOfSight(Conflict):
    code = "moved_out_of_sight"
    detail = "This client_trade_id has booked a trade that is now in an account you may not view."


def trade_book(*, user: AbstractBaseUser, booking: Booking, now: datetime) -> Booked:
    """Book one trade, or return the one that the same `client_trade_id` booked before.

    Raises Invalid (by field), NotEntitled (may view, not book), ClientTradeIdTaken,
    MovedOutOfSight.
    """
    rights = rights_in(user, booking.account)
    if rights is None:
        raise UnknownAccount
    if not rights.can_book:
        raise NotEntitled(f"You may not book in {booking.account}.")
    with transaction.atomic():
        trade_id = new_trade_id()
        if booking.client_trade_id is not None:
            earlier = _claim(rights.account, booking, trade_id)
            if earlier is not None:
                if rights_in(user, earlier.account.code) is None:
                    raise MovedOutOfSight
                return Booked(earlier, is_new=False)
        instrument, trade_date = _checked(booking, now)
        trade = Trade(
            id=trade_id,
            account=rights.account,
            instrument=instrument,
            side=booking.side,
            quantity=booking.quantity,
            price=booking.price,
            trade_date=trade_date,
            executed_at=booking.executed_at or now,
            note=booking.note,
            booked_at=now,
            booked_by=cast(User, user),
            client_trade_id=booking.client_trade_id,
        )
        _within_limits(trade)
        trades_record([trade])
    return Booked(trade, is_new=True)


def new_trade_id() -> UUID:
    return UUID(bytes=uuid_utils.uuid7().bytes)


def trades_record(trades: list[Trade], *, reason: str = "") -> None:
    """Write new trades, their first versions and their ledger entries, and wake the readers on
    commit. Must run in a transaction; the trades must be checked. Any number, three statements."""
    Trade.objects.bulk_create(trades)
    versions = TradeVersion.objects.bulk_create(
        version_of(t, actor_id=t.booked_by_id, reason=reason) for t in trades
    )
    entries_save(
        entry_of(e, version)
        for trade, version in zip(trades, versions, strict=True)
        for e in entries_of(None, leg_of(trade))
    )


def _checked(booking: Booking, now: datetime) -> tuple[Instrument, date]:
    """The instrument and the trade date; raises Invalid with everything that is wrong."""
    errors: list[FieldError] = []
    instrument = Instrument.objects.filter(ticker=booking.ticker).first()
    if instrument is None:
        errors.append(FieldError("unknown_ticker", "This ticker is not known.", "ticker"))
    known = sessions()
    day = trade_date_of(booking, known, known.business_date(now), now)
    if isinstance(day, FieldError):
        errors.append(day)
    if errors or instrument is None or isinstance(day, FieldError):
        raise Invalid(*errors)
    return instrument, day


def trade_date_of(
    booking: Booking, known: Sessions, today: date, now: datetime
) -> date | FieldError:
    """The trade date of a booking accepted at `now`, when the business date was `today`; or what
    is wrong with it or with the time of execution that it follows from."""
    if booking.executed_at is not None and booking.executed_at > now:
        return FieldError("in_future", "This is in the future.", "executed_at")
    day, attr = booking.trade_date, "trade_date"
    if day is None and booking.executed_at is not None:
        day, attr = new_york(booking.executed_at).date(), "executed_at"
    if day is None or day == today:
        return today
    if day > today:
        return FieldError("in_future", f"The business date is {today}.", attr)
    if not known.is_tradable(day):
        return FieldError("no_session", f"{day} is no session of the exchange.", attr)
    return day


def _within_limits(trade: Trade) -> None:
    """Most bookings are in active, shortable accounts, and then cost no query here."""
    entries = entries_of(None, leg_of(trade))
    accounts_lock([trade.account], [trade.instrument])
    if not (trade.account.is_active and trade.instrument.is_active):
        refuse_increases_of_inactive(entries)
    if not trade.account.can_short:
        refuse_shorts(entries)


def _claim(account: Account, booking: Booking, trade_id: UUID) -> Trade | None:
    """Take the client's id for this trade; None when it is ours now, else the earlier trade.

    Two equal requests at once: the second waits here for the first to end. The reference to the
    trade is checked at commit, so the id can be taken before the trade is written.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO trades_clienttradeid (account_id, client_trade_id, trade_id, terms_hash)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT (account_id, client_trade_id) DO NOTHING",
            [account.pk, booking.client_trade_id, trade_id, terms_hash(booking)],
        )
        if cursor.rowcount:
            return None
    taken = ClientTradeId.objects.select_related(
        "trade__account", "trade__instrument", "trade__booked_by"
    ).get(account=account, client_trade_id=booking.client_trade_id)
    if taken.terms_hash != terms_hash(booking) and not same_as_first(taken.trade, booking):
        raise ClientTradeIdTaken
    return taken.trade


def same_as_first(trade: Trade, booking: Booking) -> bool:
    """Whether the fields sent now say what version 1 says: a retry may leave out a default."""
    first = TradeVersion.objects.select_related("account", "instrument").get(trade=trade, version=1)
    return sends_terms(booking, first, account=first.account.code, ticker=first.instrument.ticker)
