"""Bookings on their way into the ledger, one or thousands: found, checked, limited, written.

The steps, in this order, each over the whole batch: `resolve` (accounts, instruments, rights,
dates), `lock` (accounts where limits hold), `recognise` (the callers' own ids that have booked
before), `limit` (no short, only closing of what is inactive; rows count in order), `guard` (what is
unusual), `write`. What is wrong with a row gathers in `refused`, by the row's number; whether one
refusal refuses all is for the caller to say: a booking and a bulk booking say yes, an import no.
What guards ask about gathers in `warned`; the caller has it confirmed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser

from accounts.models import Account
from accounts.selectors import Rights, account_rights
from kernel.errors import Conflict, FieldError
from kernel.pnl import signed
from prices.names import Name, why_unknown
from prices.sessions import Sessions
from trades.bookings import batch_hash, sends_terms, terms_hash
from trades.guard_rules import Found, refusals
from trades.guards.answers import Answer
from trades.guards.facts import NOBODY
from trades.guards.judge import Terms, bookings_judge
from trades.services.ceilings import Ceilings
from trades.services.charging import rates_of, with_charges
from trades.services.known import Known, further_refused, look_up, trade_date_of
from trades.services.limits import Sums, accounts_lock, is_limited, ledger_sums, refusal
from trades.services.new_trades import NewTrade, new_trade_ids
from trades.services.own_ids import (
    ClientTradeIdTaken,
    MovedOutOfSight,
    ids_taken,
    sends_first_terms,
)
from trades.services.recording import trades_write
from trades.terms import Booking, is_own_id


class Batch:
    """Bookings by row number, in the order in which they count. `accepted_at` is when the request
    or file came in (dates default from it, nothing may lie after it); `now` is when it is booked.
    `ids` are those of the trades, where the caller has made them.

    `trades` holds what is left to book, by row; `earlier` the ids of trades that the same
    client_trade_id has booked before, or that an earlier row of this batch books. `rights` are the
    user's, by the code of the account.
    """

    def __init__(
        self,
        *,
        user: AbstractBaseUser,
        bookings: Mapping[int, Booking],
        accepted_at: datetime,
        now: datetime,
        known: Known | None = None,
        ids: Mapping[int, str] | None = None,
    ) -> None:
        self.user = user
        self.bookings = bookings
        self.accepted_at = accepted_at
        self.now = now
        self.trades: dict[int, NewTrade] = {}
        self.earlier: dict[int, str] = {}
        self.refused: dict[int, list[FieldError]] = defaultdict(list)
        self.not_entitled: set[str] = set()
        self.conflicts: dict[int, Conflict] = {}
        self.warned: dict[int, list[Found]] = {}
        self.rights: Mapping[str, Rights] = {}
        self.sessions: Sessions
        self._known = known
        self._ids = ids
        self._accounts: dict[int, Account] = {}
        self._instruments: dict[int, Name] = {}
        # By row, what a booking under a former ticker says with the present one.
        self._renamed: dict[int, Booking] = {}
        self._named: dict[int, tuple[int, str]] = {}
        self._doubled: dict[int, int] = {}

    # --- lookups ---------------------------------------------------------------------------------

    def resolve(self) -> None:
        """Find accounts, instruments and dates."""
        known = self._known or look_up(self.user, self.bookings.values())
        self.rights, self.sessions = known.rights, known.sessions
        day_of = self._days(known)
        # In ascending order, whatever the clock does: the rows of a group are told apart by it.
        ids = self._ids or dict(zip(self.bookings, new_trade_ids(len(self.bookings)), strict=True))
        for row, booking in self.bookings.items():
            errors = []
            right = known.rights.get(booking.account)
            if right is None:
                detail = "You have no account of this code."
                errors.append(FieldError("unknown_account", detail, "account"))
            elif not right.can_book:
                self.not_entitled.add(booking.account)
                detail = f"You may not book in {booking.account}."
                errors.append(FieldError("not_entitled", detail, "account"))
            elif booking.client_trade_id is not None:
                self._named[row] = right.account.pk, booking.client_trade_id
            day = day_of(booking)
            instrument = None
            if not isinstance(day, FieldError):
                instrument = known.names.on(booking.ticker, day)
            if instrument is None and not (
                isinstance(day, FieldError) and known.names.knows(booking.ticker)
            ):
                detail = why_unknown(known.names, booking.ticker)
                errors.append(FieldError("unknown_ticker", detail, "ticker"))
            if isinstance(day, FieldError):
                errors.append(day)
            errors += further_refused(booking, known, day)
            if errors or right is None or instrument is None or isinstance(day, FieldError):
                self.refused[row] += errors
                continue
            if instrument.ticker != booking.ticker:
                self._renamed[row] = booking._replace(ticker=instrument.ticker)
            self._accounts[right.account.pk] = right.account
            self._instruments[instrument.pk] = instrument
            self.trades[row] = NewTrade(
                ids[row],
                right.account.pk,
                instrument.pk,
                booking._replace(
                    trade_date=day,
                    executed_at=booking.executed_at or self.now,
                    settlement_date=booking.settlement_date or known.sessions.settlement_day(day),
                ),
                None if booking.client_trade_id is None else terms_hash(booking),
                known.strategy_of(booking),
                known.counterparty_of(booking),
            )

        self._charge()

    def _charge(self) -> None:
        """Add the fees of schedules, where accounts have any, to what callers say."""
        charging = [pk for pk, account in self._accounts.items() if account.has_fee_schedules]
        rates = rates_of(charging)
        for row, new in self.trades.items():
            if new.account_id in rates:
                terms = with_charges(new.terms, rates[new.account_id], new.trade_date)
                self.trades[row] = new._replace(terms=terms)

    def _days(self, known: Known) -> Callable[[Booking], date | FieldError]:
        today = known.sessions.business_date(self.accepted_at)
        seen: dict[date | None, date | FieldError] = {None: today}

        def day_of(booking: Booking) -> date | FieldError:
            if booking.executed_at is not None:
                return trade_date_of(booking, known.sessions, today, self.accepted_at)
            given = booking.trade_date
            if given not in seen:
                seen[given] = trade_date_of(booking, known.sessions, today, self.accepted_at)
            return seen[given]

        return day_of

    # --- limits: the accounts they hold in -------------------------------------------------------

    def _limited(self) -> list[int]:
        """The rows whose booking depends on what is held."""
        return [
            row
            for row, new in self.trades.items()
            if is_limited(self._accounts[new.account_id], self._instruments[new.instrument_id])
        ]

    @property
    def is_plain(self) -> bool:
        """True if all can be booked with neither lock nor sums."""
        return not self.refused and not self._limited()

    def lock(self) -> None:
        """Hold the accounts whose sums the limits look at until the transaction ends. Before the
        callers' ids are looked up: with the accounts held, nobody else books in them."""
        limited = [self.trades[row] for row in self._limited()]
        accounts_lock(
            {self._accounts[new.account_id] for new in limited},
            {self._instruments[new.instrument_id] for new in limited},
        )

    # --- the callers' own ids --------------------------------------------------------------------

    def recognise(self) -> None:
        """Find the rows whose client_trade_id has booked before: with the same terms the row is
        that trade, with others it is a conflict. What was wrong with such a row does not count."""
        first: dict[tuple[int, str], int] = {}
        for row, key in self._named.items():
            if row in self.earlier or row in self.conflicts:
                continue
            if row not in self.trades:
                # Refused, or left out by the writer.
                first.setdefault(key, row)
            elif first.get(key) in self.trades:
                self._doubled[row] = first[key]
            else:
                first[key] = row
        self._recognise_taken(first)
        for row, one in self._doubled.items():
            self._recognise_doubled(row, one)

    def _recognise_taken(self, first: Mapping[tuple[int, str], int]) -> None:
        if not first:
            return
        found = ids_taken(first)
        if not found:
            return
        viewable = {r.account.pk for r in account_rights(self.user)}
        for taken in found:
            row = first[taken.key]
            booking = self.bookings[row]
            if taken.terms_hash != terms_hash(booking) and not sends_first_terms(
                self._as_named_now(row), taken.trade_id
            ):
                self._conflict(row, ClientTradeIdTaken())
            elif taken.account_now not in viewable:
                self._conflict(row, MovedOutOfSight())
            else:
                self.earlier[row] = str(taken.trade_id)
                self.refused.pop(row, None)
            self.trades.pop(row, None)

    def _recognise_doubled(self, row: int, one: int) -> None:
        """`row` has the id of `one`, an earlier row. The same trade twice in one batch is booked
        once."""
        if row not in self.trades:
            if row in self.earlier and one in self.earlier:
                # The writer has left `one` out since.
                self.earlier[row] = self.earlier[one]
            return
        booking = self._as_named_now(row)
        if one in self.conflicts:
            same = False
        elif one in self.earlier:
            same = self._same_hash(row, one) or sends_first_terms(booking, self.earlier[one])
        else:
            terms = self.trades[one].terms
            same = self._same_hash(row, one) or sends_terms(
                booking, {**terms._asdict(), "ticker": self._as_named_now(one).ticker}
            )
        if same:
            self.earlier[row] = self.earlier.get(one) or self.trades[one].id
        else:
            self._conflict(row, ClientTradeIdTaken())
        del self.trades[row]

    def _as_named_now(self, row: int) -> Booking:
        return self._renamed.get(row, self.bookings[row])

    def _same_hash(self, row: int, one: int) -> bool:
        return terms_hash(self.bookings[row]) == terms_hash(self.bookings[one])

    def _conflict(self, row: int, conflict: Conflict) -> None:
        self.conflicts[row] = conflict
        self.refused[row] = [FieldError(conflict.code, conflict.detail, "client_trade_id")]

    # --- limits ----------------------------------------------------------------------------------

    def limit(self, sums: Sums = ledger_sums) -> None:
        """Refuse rows that go short where that is not allowed, and rows that grow what is inactive.
        A refused row does not count for those after it."""
        rows = self._limited()
        if not rows:
            return
        today = self.sessions.business_date(self.now)
        ceilings = Ceilings(self._accounts.values(), today)
        running = sums({(self.trades[r].account_id, self.trades[r].instrument_id) for r in rows})
        for row in rows:
            new = self.trades[row]
            held = running[new.account_id, new.instrument_id]
            added = {new.trade_date: signed(new.terms.side, new.terms.quantity)}
            account = self._accounts[new.account_id]
            instrument = self._instruments[new.instrument_id]
            notional = new.terms.quantity * new.terms.price * (new.trade_date == today)
            found = refusal(account, instrument, held, added) or ceilings.refusal(
                new.account_id, instrument.ticker, held.held, held.moved_by(added), notional
            )
            if found is None:
                held.add(added)
                ceilings.add(new.account_id, notional)
            else:
                self.refused[row].append(found)
                del self.trades[row]
        self._refuse_doubled()

    def _refuse_doubled(self) -> None:
        for row, one in self._doubled.items():
            if one in self.refused and row not in self.refused:
                self.refused[row] = self.refused[one]
                del self.earlier[row]

    # --- guards ----------------------------------------------------------------------------------

    @property
    def guards(self) -> int:
        """The version of the guards of the batch's accounts: 0 where none holds."""
        return max((account.guards_version for account in self._accounts.values()), default=0)

    def guard(self, *, job: UUID = NOBODY) -> None:
        """Ask the guards, if any holds: one statement. Rows that they refuse are refused; what they
        warn of is in `warned`. `job` is the import that the rows are of."""
        rows = {
            row: guarded(new)
            for row, new in self.trades.items()
            if self._accounts[new.account_id].guards_version
        }
        if not rows:
            return
        said = bookings_judge(
            rows,
            self.guards_of(rows.values()),
            known=self.sessions,
            accepted_at=self.accepted_at,
            now=self.now,
            job=job,
        )
        for row, found in said.items():
            if refused := refusals(found):
                self.refused[row] += [each.error for each in refused]
                del self.trades[row]
            else:
                self.warned[row] = found
        self._refuse_doubled()

    def taken_out(self, row: int) -> Booking:
        """Leave a row out, with those that are the same by the caller's own id; what it says."""
        del self.trades[row]
        for other, one in self._doubled.items():
            if one == row and self.earlier.get(other):
                self.earlier[other] = ""
        return self.bookings[row]

    def guards_of(self, rows: Iterable[Terms]) -> dict[int, int]:
        """The version of the guards of each account of these rows."""
        return {r.account_id: self._accounts[r.account_id].guards_version for r in rows}

    def warned_by_id(self) -> dict[str, list[Found]]:
        """What guards warn of, by the id of the trade."""
        return {self.trades[row].id: found for row, found in self.warned.items()}

    @cached_property
    def sent_hash(self) -> str:
        """The hash of all that was sent."""
        return batch_hash(self.bookings.values())

    def terms_asked(self) -> dict[str, Any]:
        """All that a caller can choose of these bookings, and the date that others default to."""
        return {
            "sent": self.sent_hash,
            "today": self.sessions.business_date(self.accepted_at),
        }

    # --- writing ---------------------------------------------------------------------------------

    def write(self, group_of: Callable[[int], str] | None = None, *, answer: Answer) -> None:
        """Write what is left, each row into its request group, which must exist. A row that is left
        out has an id that somebody else has claimed meanwhile, and is looked up again."""
        if not self.trades:
            return
        groups = None if group_of is None else [group_of(row) for row in self.trades]
        written = trades_write(
            list(self.trades.values()),
            booked_by=self.user.pk,
            booked_at=self.now,
            answer=answer,
            groups=groups,
        )
        if len(written) == len(self.trades):
            return
        self.trades = {row: new for row, new in self.trades.items() if new.id in written}
        self.recognise()


def guarded(new: NewTrade) -> Terms:
    """A booking as guards look at it."""
    said = new.terms
    return Terms(
        new.account_id, new.instrument_id, said.ticker, said.side, said.quantity, said.price,
        new.trade_date, is_own_id(said.client_trade_id),
    )  # fmt: skip
