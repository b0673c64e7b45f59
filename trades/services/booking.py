"""Booking one trade: a batch of one.

A plain booking is one statement beside the one that asked (`trades.services.known`): it writes
trade, version and entry, and tests again what the first one found. Plain bookings that come at once
are written in one statement together. Where that is not enough (limits
hold, the caller's own id is taken, something is wrong, asks or has changed meanwhile) the batch
goes through all of its steps in one transaction. Positions follow by themselves.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction

from kernel.errors import NotEntitled
from kernel.repeating import repeated
from prices.actions.read import actions_at
from prices.closes.read import SessionClose
from prices.references import opening_closes
from trades.guards.answers import NOTHING_FOUND, confirmed
from trades.models import Trade
from trades.selectors import TradeRow, new_trade_row, trades_with_names
from trades.services.batch import Batch
from trades.services.known import Asked, ask
from trades.services.limits import invalid
from trades.services.new_trades import NewTrade, new_trade_id
from trades.services.recording import Plain, trade_write_plain
from trades.terms import Booking


@dataclass(frozen=True)
class Booked:
    """`is_new` is False when the same `client_trade_id` had booked this trade before. `row` is the
    trade as users see it, where it could be told without reading it."""

    trade_id: UUID
    is_new: bool
    row: TradeRow | None = None

    @property
    def trade(self) -> Trade:
        """The trade as it is now."""
        return trades_with_names().get(pk=self.trade_id)


def trade_book(
    *,
    user: AbstractBaseUser,
    booking: Booking,
    now: datetime,
    asked: Asked | None = None,
    confirm: str | None = None,
) -> Booked:
    """Book one trade, or return the one that the same `client_trade_id` booked before. `asked` is
    what was found for this user and booking, if somebody has asked already; `confirm` the token of
    a ConfirmationRequired.

    Raises Invalid (by field), NotEntitled (may view, not book), ClientTradeIdTaken,
    MovedOutOfSight, ConfirmationRequired (guards ask). A connection that is lost on the way costs
    nothing: the booking is repeated under the same id.
    """
    trade_id = new_trade_id()
    tried = 0

    def book() -> Booked:
        nonlocal tried
        tried += 1
        if tried > 1 and Trade.objects.filter(pk=trade_id).exists():
            # The connection was lost behind the commit: nobody is asked about what is booked.
            return Booked(trade_id, is_new=True)
        found = asked or ask(booking, user=user.pk, now=now)
        try:
            plain = found and _book_plain(user, booking, now, found, trade_id)
            return plain or _book_in_steps(user, booking, now, trade_id, confirm)
        except IntegrityError as error:
            if not _is_own(error):
                raise
            # The connection was lost behind the commit.
            return Booked(trade_id, is_new=True)

    return repeated(book)


def _book_plain(
    user: AbstractBaseUser, booking: Booking, now: datetime, asked: Asked, trade_id: UUID
) -> Booked | None:
    """Book in one statement; None when nothing was booked because the booking is not plain."""
    batch = Batch(
        user=user,
        bookings={0: booking},
        accepted_at=now,
        now=now,
        known=asked.known,
        ids={0: str(trade_id)},
    )
    batch.resolve()
    _refuse_not_entitled(batch)
    stamp = asked.known.stamp
    if stamp is None or not batch.is_plain:
        return None
    batch.guard()
    if batch.warned or batch.refused:
        return None
    new = batch.trades[0]
    plain = Plain(new, user.pk, now, stamp, batch.guards)
    if not trade_write_plain(plain, answer=NOTHING_FOUND):
        return None
    row = new_trade_row(
        trade_id=trade_id,
        terms=new.terms,
        account_id=new.account_id,
        booked_at=now,
        booked_by=user.get_username(),
        previous_close=_opening(asked, new, now),
    )
    return Booked(trade_id, is_new=True, row=row)


def _opening(asked: Asked, trade: NewTrade, now: datetime) -> SessionClose | None:
    """The previous close in the terms of the trade date."""
    actions = actions_at(asked.last_decision)
    if not actions:
        return asked.close
    key = trade.instrument_id, trade.trade_date
    sessions = asked.known.sessions
    return opening_closes({key: asked.close}, known=sessions, now=now, actions=actions)[key]


def _book_in_steps(
    user: AbstractBaseUser, booking: Booking, now: datetime, trade_id: UUID, confirm: str | None
) -> Booked:
    """Book in one transaction, under the locks that the limits need."""
    batch = Batch(
        user=user, bookings={0: booking}, accepted_at=now, now=now, ids={0: str(trade_id)}
    )
    with transaction.atomic():
        batch.resolve()
        _refuse_not_entitled(batch)
        batch.lock()
        batch.recognise()
        batch.limit()
        batch.guard()
        found = batch.warned_by_id()
        batch.write(
            answer=confirmed(
                "booking",
                user=user.pk,
                terms=batch.terms_asked(),
                found=found,
                doubts=[each.error for some in found.values() for each in some],
                token=confirm,
                now=now,
            )
        )
        if batch.conflicts:
            raise batch.conflicts[0]
        if batch.refused:
            raise invalid(batch.refused[0])
    booked = UUID(batch.earlier.get(0, str(trade_id)))
    return Booked(booked, is_new=booked == trade_id)


def _refuse_not_entitled(batch: Batch) -> None:
    if batch.not_entitled:
        raise NotEntitled(f"You may not book in {', '.join(sorted(batch.not_entitled))}.")


def _is_own(error: IntegrityError) -> bool:
    """True if the trade's own id is what stands in its way. Which table says so depends on which is
    written first."""
    cause = error.__cause__
    return isinstance(cause, psycopg.errors.UniqueViolation) and cause.diag.constraint_name in (
        "trades_trade_pkey",
        "version_once",
    )
