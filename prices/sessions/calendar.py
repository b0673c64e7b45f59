"""The exchange's published calendar as plain Python: which days trade, and from when to when.

The library behind it brings pandas (1.2 s and 60 MB in each process that would load it), so what it
says is kept as data: the weekdays without a session, and those that end early. Whether they are
still what the library says, a test tells; `prices.sessions.published` writes them anew.
"""

import json
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from kernel.clock import NEW_YORK

EXCHANGE = "XNYS"
# Fixed, because the library's own end is one year after the day it was loaded, which a process
# that runs for long would reach.
FIRST_DAY = date(1970, 1, 1)
LAST_DAY = date(2070, 12, 31)
OPENS, CLOSES = time(9, 30), time(16)
PUBLISHED = Path(__file__).with_name("xnys.json")
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Session:
    """One trading day: its New York date, and its opening and closing moments in UTC."""

    date: date
    opens: datetime
    closes: datetime


@dataclass(frozen=True)
class Hours:
    """Hours that beat the calendar's: None is closed, a time is the close in New York."""

    closes: time | None


class Calendar:
    """Trading days in order. Questions about days beyond its ends find no session."""

    def __init__(self, sessions: Mapping[date, Session]) -> None:
        self._sessions = dict(sessions)
        self._days = sorted(self._sessions)

    def with_hours(self, hours: Mapping[date, Hours]) -> "Calendar":
        """This calendar, beaten by `hours`. A closing time on a day off makes it a session."""
        if not hours:
            return self
        sessions = dict(self._sessions)
        for day, kept in hours.items():
            if kept.closes is None:
                sessions.pop(day, None)
            else:
                known = sessions.get(day)
                closes = _moment(day, kept.closes)
                sessions[day] = (
                    replace(known, closes=closes)
                    if known
                    else Session(day, _moment(day, OPENS), closes)
                )
        return Calendar(sessions)

    def get(self, day: date) -> Session | None:
        return self._sessions.get(day)

    def before(self, day: date) -> date | None:
        """The last session strictly before `day`."""
        position = bisect_left(self._days, day)
        return self._days[position - 1] if position else None

    def after(self, day: date) -> date | None:
        """The first session strictly after `day`."""
        position = bisect_right(self._days, day)
        return self._days[position] if position < len(self._days) else None

    def between(self, first: date, last: date) -> Sequence[date]:
        return self._days[bisect_left(self._days, first) : bisect_right(self._days, last)]


def _moment(day: date, wall_clock: time) -> datetime:
    return datetime.combine(day, wall_clock, NEW_YORK).astimezone(UTC)


_lock = threading.Lock()
_published: Calendar | None = None


def published_calendar() -> Calendar:
    """The calendar as the exchange publishes it, loaded once for each process."""
    global _published
    if _published is None:
        with _lock:
            if _published is None:
                _published = _load()
    return _published


def _load() -> Calendar:
    said = json.loads(PUBLISHED.read_text())
    closed = set(said["closed"])
    early = {day: time.fromisoformat(at) for at, days in said["early"].items() for day in days}
    sessions = {}
    for number in range((LAST_DAY - FIRST_DAY).days + 1):
        day = FIRST_DAY + timedelta(number)
        if day.weekday() < SATURDAY and (name := day.isoformat()) not in closed:
            closes = early.get(name, CLOSES)
            sessions[day] = Session(day, _moment(day, OPENS), _moment(day, closes))
    return Calendar(sessions)
