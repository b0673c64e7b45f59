"""Sessions as they are kept: the published calendar, beaten by SessionOverride rows; and on which
days trades settle, beaten by SettlementOverride rows.

Each process keeps them with the stamp (`CalendarStamp`) that was read in the same statement, and
asks for the stamp at each question (one small query), so that a change acts in all processes at
once. Who asks several questions takes `sessions()` once and asks that. A statement that returns
`CALENDAR_STAMP_SQL` beside its own answer saves that query: `sessions_cached` before it,
`sessions_at` after it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from kernel import prepared
from kernel.clock import NEW_YORK, new_york
from kernel.errors import DomainError
from prices.sessions.calendar import Calendar, Hours, Session, published_calendar
from prices.sessions.settlement import Moved, settlement_day, settles

# An expression for any statement; NULL when the row is missing, which no stamp equals.
CALENDAR_STAMP_SQL = "(SELECT stamp FROM prices_calendarstamp)"

# Stamp and overrides of one snapshot. The overrides stay away when the stamp is the one given.
_READ = f"""
    SELECT s.stamp, o.date, o.is_closed, o.early_close, o.settles
      FROM (SELECT {CALENDAR_STAMP_SQL} AS stamp) s
      LEFT JOIN (
        SELECT date, is_closed, early_close, NULL::boolean AS settles FROM prices_sessionoverride
         UNION ALL
        SELECT date, NULL, NULL, settles FROM prices_settlementoverride
      ) o ON (s.stamp = %s::uuid) IS NOT TRUE
"""


class NoSession(DomainError, ValueError):
    """The exchange does not trade on that day, or the day is beyond the calendar's ends."""

    code = "no_session"
    detail = "There is no session on that day."


def day_start(day: date) -> datetime:
    """00:00 New York of that date, in UTC."""
    return datetime.combine(day, time(), NEW_YORK).astimezone(UTC)


class Sessions:
    """The sessions as known when this was made. Pass it on; do not keep it."""

    def __init__(self, calendar: Calendar, moved: Moved | None = None) -> None:
        self._calendar = calendar
        self._moved = moved or {}

    def is_session(self, day: date) -> bool:
        return self._calendar.get(day) is not None

    def is_tradable(self, day: date) -> bool:
        """True if trades may be dated so: a session, with one before it to measure P&L from."""
        return self.is_session(day) and self._calendar.before(day) is not None

    def session_of(self, day: date) -> Session:
        """Raise NoSession when the exchange does not trade on that day."""
        session = self._calendar.get(day)
        if session is None:
            raise NoSession(f"There is no session on {day}.")
        return session

    def previous_session(self, day: date) -> date:
        """The last session strictly before `day`, which need not be one itself."""
        found = self._calendar.before(day)
        if found is None:
            raise NoSession(f"No session before {day} is known.")
        return found

    def next_session(self, day: date) -> date:
        """The first session strictly after `day`, which need not be one itself."""
        found = self._calendar.after(day)
        if found is None:
            raise NoSession(f"No session after {day} is known.")
        return found

    def sessions_between(self, first: date, last: date) -> list[date]:
        """All sessions from `first` to `last`, inclusive, oldest first."""
        return list(self._calendar.between(first, last))

    def settles_on(self, day: date) -> bool:
        """True if trades settle on this day."""
        return settles(day, self._calendar, self._moved)

    def settlement_day(self, trade_date: date) -> date:
        """The day on which a trade of this date settles, where nobody says another."""
        found = settlement_day(trade_date, self._calendar, self._moved)
        if found is None:
            raise NoSession(f"No settlement day after {trade_date} is known.")
        return found

    def business_date(self, now: datetime) -> date:
        """The latest session whose date is not after today's date in New York."""
        return self.session_on_or_before(new_york(now).date())

    def session_on_or_before(self, day: date) -> date:
        return day if self.is_session(day) else self.previous_session(day)

    def completed_sessions(self, now: datetime, count: int) -> list[date]:
        """The last `count` sessions that have closed by `now`, oldest first."""
        found: list[date] = []
        day = new_york(now).date() + timedelta(days=1)
        while len(found) < count:
            before = self._calendar.before(day)
            if before is None:
                break
            day = before
            if self.session_of(day).closes <= now:
                found.append(day)
        return found[::-1]

    def is_open(self, now: datetime) -> bool:
        """True if the exchange trades at this moment: from the open up to, not at, the close."""
        session = self._calendar.get(new_york(now).date())
        return session is not None and session.opens <= now < session.closes


_read_once: ContextVar["_Once | None"] = ContextVar("sessions", default=None)


class _Once:
    sessions: "Sessions | None" = None


@contextmanager
def read_once() -> Iterator[None]:
    """Within this block the sessions are read once: an answer is of one calendar, in one query."""
    token = _read_once.set(_Once())
    try:
        yield
    finally:
        _read_once.reset(token)


# What was read last. It is replaced as a whole, and used only for the stamp it was read under: a
# slow thread that puts older sessions here over newer ones costs the next question a reading.
_kept: tuple[Sessions, UUID] | None = None


def sessions() -> Sessions:
    """The sessions as kept now (within `read_once`: when first asked for). One query."""
    once = _read_once.get()
    if once is None:
        return _read()[0]
    if once.sessions is None:
        once.sessions = _read()[0]
    return once.sessions


def sessions_at(stamp: UUID | None) -> Sessions:
    """The sessions of a stamp that the caller's own statement returned just now, without a query
    if they are those kept here. Otherwise they are read, and may be of a later stamp already.
    Within `read_once` they are from then on those of the block, if it has none."""
    kept = _kept
    known = kept[0] if kept is not None and kept[1] == stamp else _read()[0]
    once = _read_once.get()
    if once is not None and once.sessions is None:
        once.sessions = known
    return known


def sessions_cached() -> tuple[Sessions, UUID | None]:
    """The sessions kept here and their stamp, without a query unless there are none. They may be
    out of date, or of a transaction that was rolled back: they hold only if the caller's own
    statement finds that very stamp."""
    return _kept or _read()


def _read() -> tuple[Sessions, UUID | None]:
    global _kept
    kept = _kept
    rows = prepared.rows(_READ, [None if kept is None else kept[1]])
    stamp: UUID | None = rows[0][0]
    if kept is not None and kept[1] == stamp:
        return kept
    hours, moved = dict[date, Hours](), dict[date, bool]()
    for _, day, is_closed, early_close, settling in rows:
        if settling is not None:
            moved[day] = settling
        elif day is not None:
            hours[day] = Hours(None if is_closed else early_close)
    found = Sessions(published_calendar().with_hours(hours), moved)
    if stamp is not None:
        _kept = found, stamp
    return found, stamp
