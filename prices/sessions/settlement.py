"""Settlement days: on which a trade settles. Plain Python, as the calendar is.

A trade settles on the second settlement day after its trade date, and since the cycle was shortened
(28 May 2024) on the first. A settlement day is a session on which the Federal Reserve's banks are
open: on Columbus Day and Veterans Day the exchange trades and nothing settles. `Moved` days beat
both.

Holidays of the Federal Reserve (federalreserve.gov, K.8): one that falls on a Sunday is kept on the
Monday, one on a Saturday is not kept on any other day.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache

from prices.sessions.calendar import LAST_DAY, Calendar

SHORTENED = date(2024, 5, 28)
MONDAY, THURSDAY, SUNDAY = 0, 3, 6
_DAY = timedelta(days=1)

Moved = Mapping[date, bool]
"""Days that settle, or do not, whatever calendars say."""


def cycle(trade_date: date) -> int:
    """How many settlement days after its trade date a trade settles."""
    return 2 if trade_date < SHORTENED else 1


@cache
def fed_holidays(year: int) -> frozenset[date]:
    """The days of a year on which the Federal Reserve's banks are closed, weekends aside, by the
    rules that hold since 1978."""
    fixed = [date(year, 1, 1), date(year, 7, 4), date(year, 11, 11), date(year, 12, 25)]
    if year >= 2022:
        fixed.append(date(year, 6, 19))
    moving = [
        _nth(year, 2, MONDAY, 3),
        _nth(year, 6, MONDAY, 1) - 7 * _DAY,  # the last Monday of May
        _nth(year, 9, MONDAY, 1),
        _nth(year, 10, MONDAY, 2),
        _nth(year, 11, THURSDAY, 4),
    ]
    if year >= 1986:
        moving.append(_nth(year, 1, MONDAY, 3))
    return frozenset([*moving, *(d + _DAY if d.weekday() == SUNDAY else d for d in fixed)])


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta((weekday - first.weekday()) % 7 + 7 * (n - 1))


def settles(day: date, calendar: Calendar, moved: Moved) -> bool:
    """True if trades settle on this day."""
    kept = moved.get(day)
    if kept is not None:
        return kept
    return calendar.get(day) is not None and day not in fed_holidays(day.year)


def settlement_day(trade_date: date, calendar: Calendar, moved: Moved) -> date | None:
    """The day on which a trade of this date settles; None beyond the calendar's end."""
    day, left = trade_date, cycle(trade_date)
    while left:
        day += _DAY
        if day > LAST_DAY:
            return None
        left -= settles(day, calendar, moved)
    return day
