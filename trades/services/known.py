"""The facts that a booking needs beforehand: caller, rights, account, instrument, dates.

A single booking learns all of it from one prepared statement (`ask`), its caller's login and the
previous close for the answer included. Many rows learn it from three queries (`look_up`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser

from accounts.callers import BY_ID, BY_TOKEN, CALLER_WIDTH, Caller, Finding, caller_of, digest_of
from accounts.models import Account, Counterparty, Strategy
from accounts.selectors import Code, Rights, account_rights, codes_known
from kernel import prepared
from kernel.clock import new_york
from kernel.errors import FieldError
from prices.actions.read import LAST_DECISION_SQL
from prices.closes.effective_close import source_params
from prices.closes.read import DOUBTED_AT, SessionClose
from prices.names import Name, Names, names_of
from prices.sessions import CALENDAR_STAMP_SQL, Sessions, sessions, sessions_at, sessions_cached
from trades.terms import Booking


@dataclass(frozen=True, slots=True)
class Known:
    """Rights by account code, instruments by ticker and date; accounts that the user may not view
    are not among them. The sessions are those of the calendar's stamp."""

    rights: Mapping[str, Rights]
    names: Names
    sessions: Sessions
    stamp: UUID | None = None
    strategies: Mapping[str, Code] = field(default_factory=dict)
    counterparties: Mapping[str, Code] = field(default_factory=dict)

    def strategy_of(self, booking: Booking) -> int | None:
        return None if booking.strategy is None else self.strategies[booking.strategy].pk

    def counterparty_of(self, booking: Booking) -> int | None:
        code = booking.counterparty
        return None if code is None else self.counterparties[code].pk


@dataclass(frozen=True, slots=True)
class Asked:
    """The answer of one statement. `close` is the previous close of the booking's trade date, None
    where there is none; `last_decision` tells which corporate actions count."""

    caller: Caller
    known: Known
    close: SessionClose | None
    last_decision: int | None = None


def look_up(user: AbstractBaseUser, bookings: Iterable[Booking]) -> Known:
    """The facts that these bookings need, in three queries, however many they are, and one each for
    strategies and counterparties where they name any."""
    rights = {r.account.code: r for r in account_rights(user)}
    of = list(bookings)
    return Known(
        rights,
        names_of(b.ticker for b in of),
        sessions(),
        strategies=codes_known(Strategy, (b.strategy for b in of)),
        counterparties=codes_known(Counterparty, (b.counterparty for b in of)),
    )


# Each join finds at most one row by a unique key. A ticker that ever had another meaning is not
# found here: what it means depends on the date (`look_up`). The close's instrument is named by a
# subquery of its own: one that a join finds would have the closes of all looked through first.
def _ask_sql(caller: Finding, *, codes: bool) -> str:
    """`codes`: with what the codes of a strategy and a counterparty mean."""
    meant = ", s.id, s.is_active, p.id, p.is_active" if codes else ""
    meaning = (
        """
      LEFT JOIN accounts_strategy s ON s.code = %(strategy)s
      LEFT JOIN accounts_counterparty p ON p.code = %(counterparty)s"""
        if codes
        else ""
    )
    return f"""
    SELECT {CALENDAR_STAMP_SQL}, {caller.columns},
           a.id, a.code, a.name, a.can_short, a.is_active, a.guards_version,
           a.is_limited, a.has_fee_schedules, u.is_superuser OR e.can_view,
           u.is_superuser OR e.can_book, u.is_superuser OR e.can_correct,
           i.id, i.ticker, i.is_active, c.close, c.source, d.doubted_at, {LAST_DECISION_SQL}{meant}
      FROM {caller.tables}
      LEFT JOIN accounts_account a ON a.code = %(account)s
      LEFT JOIN accounts_entitlement e ON e.user_id = u.id AND e.account_id = a.id AND e.can_view
      LEFT JOIN prices_instrument i ON i.ticker = %(ticker)s
            AND NOT EXISTS (SELECT FROM prices_instrumentalias WHERE ticker = %(ticker)s)
      LEFT JOIN (
        SELECT close, source
          FROM eqtrade_effective_closes(ARRAY[%(previous)s::date], %(source)s)
         WHERE instrument_id = (SELECT id FROM prices_instrument WHERE ticker = %(ticker)s)
      ) c ON true
      LEFT JOIN ({DOUBTED_AT}) d ON d.instrument_id = i.id AND d.session = %(previous)s{meaning}
     WHERE {caller.condition}
"""


# By whether a booking names a strategy or a counterparty: most do not, and pay nothing for it.
_ASK_BY_TOKEN = {codes: _ask_sql(BY_TOKEN, codes=codes) for codes in (False, True)}
_ASK_BY_ID = {codes: _ask_sql(BY_ID, codes=codes) for codes in (False, True)}


def ask(
    booking: Booking | None, *, now: datetime, token: str | None = None, user: int | None = None
) -> Asked | None:
    """The caller, by token or id, and what their booking needs; None when there is no such user.
    One statement; two when the calendar has changed since this process read it."""
    cached, stamp = sessions_cached()
    while True:
        previous = _previous_session(booking, cached, now)
        params: dict[str, Any] = {
            "account": booking and booking.account,
            "ticker": booking and booking.ticker,
            "previous": previous,
            **source_params(),
        }
        codes = booking is not None and (booking.strategy or booking.counterparty) is not None
        if booking is not None and codes:
            params |= {"strategy": booking.strategy, "counterparty": booking.counterparty}
        if token is None:
            row = prepared.row(_ASK_BY_ID[codes], {**params, "user": user})
        else:
            found = {**params, "digest": digest_of(token), "now": now}
            row = prepared.row(_ASK_BY_TOKEN[codes], found)
        if row is None:
            return None
        if row[0] == stamp:
            return _asked(row, cached, booking)
        cached, stamp = sessions_at(row[0]), row[0]
        if _previous_session(booking, cached, now) == previous:
            return _asked(row, cached, booking)


def _asked(row: tuple[Any, ...], known: Sessions, booking: Booking | None) -> Asked:
    stamp, caller = row[0], caller_of(row[1 : 1 + CALLER_WIDTH])
    (
        account, code, name, can_short, is_active, guards, is_limited, has_fees, can_view,
        can_book, can_correct, instrument, ticker, is_listed, close, source, doubted_at,
        last_decision, *meant,
    ) = row[1 + CALLER_WIDTH :]  # fmt: skip
    rights = {}
    if account is not None and can_view and caller.user.is_active:
        found = Account(account, code, name, can_short, is_active, guards, is_limited, has_fees)
        rights[code] = Rights(found, bool(can_book), bool(can_correct))
    present = {} if instrument is None else {ticker: Name(instrument, ticker, is_listed)}
    previous = None if close is None else SessionClose(close, source, doubted_at)
    strategies, counterparties = _meant(booking, meant)
    facts = Known(rights, Names(present, {}), known, stamp, strategies, counterparties)
    return Asked(caller, facts, previous, last_decision)


def _meant(
    booking: Booking | None, found: Sequence[Any]
) -> tuple[Mapping[str, Code], Mapping[str, Code]]:
    """What the booking's strategy and counterparty are: two columns each, if any was named."""
    if booking is None or not found:
        return {}, {}
    strategy, counterparty = booking.strategy, booking.counterparty
    return (
        {} if strategy is None or found[0] is None else {strategy: Code(*found[:2])},
        {} if counterparty is None or found[2] is None else {counterparty: Code(*found[2:])},
    )


def _previous_session(booking: Booking | None, known: Sessions, now: datetime) -> date | None:
    """The session whose close the booking's answer needs; None when its date is wrong."""
    if booking is None:
        return None
    day = trade_date_of(booking, known, known.business_date(now), now)
    return None if isinstance(day, FieldError) else known.previous_session(day)


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
    return date_refused(day, known, today, now, attr) or day


def further_refused(booking: Booking, known: Known, day: date | FieldError) -> list[FieldError]:
    """The faults of what a booking says beside its economic terms; `day` is its trade date."""
    found = (
        None
        if isinstance(day, FieldError)
        else settlement_refused(booking.settlement_date, day, known.sessions),
        code_refused("strategy", booking.strategy, known.strategies),
        code_refused("counterparty", booking.counterparty, known.counterparties),
    )
    return [each for each in found if each is not None]


def settlement_refused(
    settles: date | None, trade_date: date, known: Sessions | None
) -> FieldError | None:
    """The fault of a settlement date that somebody says; without `known`: said before, when it was
    a day on which trades settled."""
    if settles is not None and settles < trade_date:
        detail = f"This is before the trade date, {trade_date}."
        return FieldError("settlement_before_trade", detail, "settlement_date")
    if settles is not None and known is not None and not known.settles_on(settles):
        return FieldError("no_settlement_day", f"Nothing settles on {settles}.", "settlement_date")
    return None


def code_refused(term: str, code: str | None, known: Mapping[str, Code]) -> FieldError | None:
    """The fault of naming this code as the term, a strategy or a counterparty."""
    if code is None:
        return None
    found = known.get(code)
    if found is None:
        return FieldError(f"unknown_{term}", f"There is no {term} of this code.", term)
    if not found.is_active:
        return FieldError(f"inactive_{term}", f"{code} can be named by no new trade.", term)
    return None


def date_refused(
    day: date, known: Sessions, today: date, now: datetime, attr: str = "trade_date"
) -> FieldError | None:
    """The fault of a trade date at `now`, when the business date is `today`. On a holiday,
    which is later than the business date, today is no session rather than in the future."""
    if day > today and (day > new_york(now).date() or known.is_tradable(day)):
        return FieldError(
            "in_future", f"This is in the future: the business date is {today}.", attr
        )
    if not known.is_tradable(day):
        return FieldError("no_session", f"{day} is no session of the exchange.", attr)
    return None
