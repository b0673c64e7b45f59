"""Many bookings in one transaction: looked up once, checked in memory, written by COPY.

The steps, in this order, each over the whole batch: `resolve` (accounts, instruments, rights,
dates), `claim` (the callers' own ids), `limit` (no short, only closing of what is inactive; rows
count in order), `write`. What is wrong with a row gathers in `refused`, by the row's number;
whether one refusal refuses all is for the caller to say: a bulk booking says yes, an import no.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

import uuid_utils
from django.contrib.auth.models import AbstractBaseUser
from django.db import connection

from accounts.models import Account
from accounts.selectors import account_rights
from kernel.errors import FieldError
from kernel.pnl import signed
from prices.models import Instrument
from prices.sessions import sessions
from trades.bookings import Booking, sends_terms, terms_hash
from trades.models import Trade
from trades.running_position import Running
from trades.services.booking import (
    ClientTradeIdTaken,
    MovedOutOfSight,
    same_as_first,
    trade_date_of,
)
from trades.services.limits import Key, accounts_lock, ledger_sums
from trades.services.recording import NewTrade, trades_copy


class _Name(NamedTuple):
    """What a batch needs of an instrument: there are many, and rows of models are dear."""

    pk: int
    ticker: str
    is_active: bool


class Batch:
    """Bookings by row number, in the order in which they count. `accepted_at` is when the request
    or file came in (dates default from it, nothing may lie after it); `now` is when it is booked.

    `trades` holds what is left to book, by row; `earlier` the ids of trades that the same
    client_trade_id has booked before, or that an earlier row of this batch books.
    """

    def __init__(
        self,
        *,
        user: AbstractBaseUser,
        bookings: dict[int, Booking],
        accepted_at: datetime,
        now: datetime,
    ) -> None:
        self.user = user
        self.bookings = bookings
        self.accepted_at = accepted_at
        self.now = now
        self.trades: dict[int, NewTrade] = {}
        self.earlier: dict[int, str] = {}
        self.refused: dict[int, list[FieldError]] = defaultdict(list)
        self.not_entitled: set[str] = set()
        self.conflicts: set[int] = set()
        self._accounts: dict[int, Account] = {}
        self._instruments: dict[int, _Name] = {}
        self._claimed: dict[int, str] = {}
        self._doubled: dict[int, int] = {}

    # --- lookups ---------------------------------------------------------------------------------

    def resolve(self) -> None:
        """Find accounts, instruments and dates. Three queries, however many rows."""
        rights = {r.account.code: r for r in account_rights(self.user)}
        wanted = {b.ticker for b in self.bookings.values()}
        names = Instrument.objects.filter(ticker__in=wanted)
        instruments = {
            ticker: _Name(pk, ticker, is_active)
            for pk, ticker, is_active in names.values_list("pk", "ticker", "is_active")
        }
        day_of = self._days()
        # In ascending order, whatever the clock does: the rows of a group are told apart by it.
        ids = iter(sorted(str(uuid_utils.uuid7()) for _ in self.bookings))
        for row, booking in self.bookings.items():
            errors = []
            right = rights.get(booking.account)
            if right is None:
                detail = "You have no account of this code."
                errors.append(FieldError("unknown_account", detail, "account"))
            elif not right.can_book:
                self.not_entitled.add(booking.account)
                detail = f"You may not book in {booking.account}."
                errors.append(FieldError("not_entitled", detail, "account"))
            instrument = instruments.get(booking.ticker)
            if instrument is None:
                errors.append(FieldError("unknown_ticker", "This ticker is not known.", "ticker"))
            day = day_of(booking)
            if isinstance(day, FieldError):
                errors.append(day)
            if errors or right is None or instrument is None or isinstance(day, FieldError):
                self.refused[row] += errors
                continue
            self._accounts[right.account.pk] = right.account
            self._instruments[instrument.pk] = instrument
            self.trades[row] = NewTrade(
                next(ids),
                right.account.pk,
                instrument.pk,
                booking.side,
                booking.quantity,
                booking.price,
                day,
                booking.executed_at or self.now,
                booking.note,
                booking.client_trade_id,
            )

    def _days(self) -> Callable[[Booking], date | FieldError]:
        known = sessions()
        today = known.business_date(self.accepted_at)
        seen: dict[date, date | FieldError] = {}

        def day_of(booking: Booking) -> date | FieldError:
            given = booking.trade_date
            if booking.executed_at is not None:
                return trade_date_of(booking, known, today, self.accepted_at)
            if given is None:
                return today
            if given not in seen:
                seen[given] = trade_date_of(booking, known, today, self.accepted_at)
            return seen[given]

        return day_of

    # --- the callers' own ids --------------------------------------------------------------------

    def claim(self) -> None:
        """Take the client_trade_ids for the trades of this batch, in one order for all batches, so
        that two of them cannot block each other. Taken before, with the same terms: the row is
        that trade. The references to the trades are checked at commit."""
        first: dict[tuple[int, str], int] = {}
        for row, trade in self.trades.items():
            if trade.client_trade_id is not None:
                key = trade.account_id, trade.client_trade_id
                if first.setdefault(key, row) != row:
                    self._doubled[row] = first[key]
        if not first:
            return
        hashes = {row: terms_hash(self.bookings[row]) for row in (*first.values(), *self._doubled)}
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO trades_clienttradeid (account_id, client_trade_id, trade_id,"
                " terms_hash) SELECT * FROM unnest(%s::bigint[], %s::text[], %s::uuid[],"
                " %s::text[]) AS c (account, mine, trade, hash) ORDER BY account, mine"
                " ON CONFLICT (account_id, client_trade_id) DO NOTHING"
                " RETURNING account_id, client_trade_id",
                [
                    [account for account, _ in first],
                    [mine for _, mine in first],
                    [self.trades[row].id for row in first.values()],
                    [hashes[row] for row in first.values()],
                ],
            )
            ours = set(cursor.fetchall())
        self._claimed = {row: self.trades[row].id for key, row in first.items() if key in ours}
        self._taken({key: row for key, row in first.items() if key not in ours}, hashes)
        for row, one in self._doubled.items():
            if one in self.conflicts or not (
                hashes[row] == hashes[one] or self._same_as_row(row, one)
            ):
                self._conflict(row, ClientTradeIdTaken)
            else:
                # The same trade twice in one batch is booked once.
                self.earlier[row] = self.earlier.get(one) or self.trades[one].id
                del self.trades[row]

    def _taken(self, taken: dict[tuple[int, str], int], hashes: dict[int, str]) -> None:
        if not taken:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT c.account_id, c.client_trade_id, c.terms_hash, t.id, t.account_id"
                " FROM unnest(%s::bigint[], %s::text[]) AS k (account, mine)"
                " JOIN trades_clienttradeid c ON c.account_id = k.account"
                " AND c.client_trade_id = k.mine JOIN trades_trade t ON t.id = c.trade_id",
                [[a for a, _ in taken], [mine for _, mine in taken]],
            )
            found = cursor.fetchall()
        viewable = {r.account.pk for r in account_rights(self.user)}
        for account, mine, was, trade_id, account_now in found:
            row = taken[account, mine]
            if was != hashes[row] and not same_as_first(Trade(id=trade_id), self.bookings[row]):
                self._conflict(row, ClientTradeIdTaken)
            elif account_now not in viewable:
                self._conflict(row, MovedOutOfSight)
            else:
                self.earlier[row] = str(trade_id)
                del self.trades[row]

    def _same_as_row(self, row: int, one: int) -> bool:
        """Whether the fields that this row sends say what that earlier one will have booked."""
        if one in self.earlier:
            return same_as_first(Trade(id=self.earlier[one]), self.bookings[row])
        trade, booking = self.trades[one], self.bookings[row]
        ticker = self._instruments[trade.instrument_id].ticker
        return sends_terms(booking, trade, account=booking.account, ticker=ticker)

    def _conflict(self, row: int, kind: type[ClientTradeIdTaken | MovedOutOfSight]) -> None:
        self.conflicts.add(row)
        self.refused[row].append(FieldError(kind.code, kind.detail, "client_trade_id"))
        del self.trades[row]

    def release(self) -> None:
        """Give back the ids that were claimed for rows that are refused now."""
        free = [trade_id for row, trade_id in self._claimed.items() if row in self.refused]
        if free:
            with connection.cursor() as cursor:
                cursor.execute(
                    "DELETE FROM trades_clienttradeid WHERE trade_id = ANY(%s::uuid[])", [free]
                )

    # --- limits ----------------------------------------------------------------------------------

    def limit(self, sums: "Callable[[Iterable[Key]], dict[Key, Running]] | None" = None) -> None:
        """Refuse rows that go short where that is not allowed, and rows that grow what is inactive.
        A refused row does not count for those after it. Locks the accounts concerned."""
        bound = {a.pk for a in self._accounts.values() if not (a.can_short and a.is_active)}
        idle = {i.pk for i in self._instruments.values() if not i.is_active}
        rows = [
            row
            for row, trade in self.trades.items()
            if trade.account_id in bound or trade.instrument_id in idle
        ]
        if not rows:
            return
        keys = {(self.trades[r].account_id, self.trades[r].instrument_id) for r in rows}
        accounts_lock([self._accounts[a] for a, _ in keys], Instrument.objects.filter(pk__in=idle))
        running = (sums or ledger_sums)(keys)
        for row in rows:
            trade = self.trades[row]
            quantity = signed(trade.side, trade.quantity)
            held = running[trade.account_id, trade.instrument_id]
            refusal = self._refusal(trade, held, quantity)
            if refusal is None:
                held.add(trade.trade_date, quantity)
            else:
                self.refused[row].append(refusal)
                del self.trades[row]
        for row, one in self._doubled.items():
            if one in self.refused and row not in self.refused:
                self.refused[row] = self.refused[one]
                del self.earlier[row]

    def _refusal(self, trade: NewTrade, held: Running, quantity: Decimal) -> FieldError | None:
        account = self._accounts[trade.account_id]
        instrument = self._instruments[trade.instrument_id]
        if not instrument.is_active and held.grows(quantity):
            detail = f"{instrument.ticker} can only be closed out."
            return FieldError("inactive_ticker", detail, "ticker")
        if not account.is_active and held.grows(quantity):
            detail = f"{account.code} can only be closed out."
            return FieldError("inactive_account", detail, "account")
        if not account.can_short and (worst := held.short_after(trade.trade_date, quantity)):
            return FieldError(
                "short_position",
                f"{account.code} may not go short: {instrument.ticker} would come to"
                f" {worst[1].normalize():f} on {worst[0]}.",
                "quantity",
            )
        return None

    # --- writing ---------------------------------------------------------------------------------

    def write(self, group_of: Callable[[int], str]) -> None:
        """Write what is left, each row into its request group, which must exist."""
        if self.trades:
            trades_copy(
                list(self.trades.values()),
                [group_of(row) for row in self.trades],
                booked_by=self.user.pk,
                booked_at=self.now,
            )
