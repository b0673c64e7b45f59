"""Dates and times as people write them, read in one order a column. Pure.

Whether 03/04/2026 is in March or in April is decided by all cells of the column that are written
alike (with slashes, points or dashes); where they do not decide it, it is asked.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple

from kernel.errors import FieldError
from kernel.moments import EARLIEST_YEAR

LONGEST = 64
ORDERS = ("mdy", "dmy", "ymd")
_GUESSED = ("mdy", "dmy")  # a year of two digits stands last, unless somebody says otherwise

_MONTHS = {
    name: number
    for names in (
        "jan feb mar apr may jun jul aug sep oct nov dec",
        "january february march april may june july august september october november december",
        "januar februar märz april mai juni juli august september oktober november dezember",
        "januari februari maart april mei juni juli augustus september oktober november december",
        "jan feb mrz apr mai jun jul aug sept okt nov dez",
    )
    for number, name in enumerate(names.split(), start=1)
}
_TIME = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:[.,](?P<part>[0-9]{1,9}))?)?"
)
_CLOCK = re.compile(
    _TIME
    + r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*(?P<zone>Z|UTC|GMT|E[SD]?T|[+-][0-9]{2}:?[0-9]{2})?\Z",
    re.ASCII,
)
_CLOCK_SHORT = re.compile(r"(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})(?P<second>[0-9]{2})\Z", re.ASCII)
_ISO_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}Z?\Z", re.ASCII)
_ISO = re.compile(
    r"(?P<y>[0-9]{4})(?P<s>[-/.])(?P<m>[0-9]{1,2})(?P=s)(?P<d>[0-9]{1,2})\Z", re.ASCII
)
_SHORT = re.compile(r"(?P<y>[12][0-9]{3})(?P<m>[0-9]{2})(?P<d>[0-9]{2})\Z", re.ASCII)
_NUMERIC = re.compile(
    r"(?P<a>[0-9]{1,2})(?P<s>[-/.])(?P<b>[0-9]{1,2})(?P=s)(?P<c>[0-9]{4}|[0-9]{2})\Z", re.ASCII
)
_NAMED = (
    re.compile(r"(?P<d>[0-9]{1,2})[-/. ]+(?P<m>[^\W\d]+)[-/., ]+(?P<y>[0-9]{4}|[0-9]{2})\Z"),
    re.compile(
        r"(?P<m>[^\W\d]+)[-/. ]+(?P<d>[0-9]{1,2})(?:st|nd|rd|th)?[-/, ]+(?P<y>[0-9]{4}|[0-9]{2})\Z"
    ),
    re.compile(r"(?P<y>[0-9]{4})[-/ ](?P<m>[^\W\d]+)[-/ ](?P<d>[0-9]{1,2})\Z"),
)  # fmt: skip
_WITH_CLOCK = re.compile(
    r"(?P<day>[^T:;]*?[0-9])(?:T|[;, ]\s*)(?P<clock>[0-9]{1,2}:[0-9]{2}\D?.*|[0-9]{6})\Z", re.ASCII
)
_AS_OF = re.compile(r".*\bas of\s+(?P<then>.+)\Z", re.IGNORECASE)
_EASTERN = ("ET", "EST", "EDT")


class Written(NamedTuple):
    """A cell taken apart. `days` holds what the date is in each order that fits; those written
    without an order in question have the order "". `clock` is None without a time of day, and
    `offset` what stands behind it: a number of minutes, "ET", or None."""

    days: tuple[tuple[str, date], ...]
    separator: str = ""
    clock: time | None = None
    offset: int | str | None = None

    def day(self, order: str | None) -> date | None:
        for of, day in self.days:
            if of in ("", order):
                return day
        return None


@lru_cache(8192)
def written(cell: str) -> Written | None:
    """A cell's date and maybe time; None when it is neither."""
    text = cell.strip().strip("\u00a0 ")
    if _ISO_MOMENT.match(text):
        return _iso(text)
    if len(text) > LONGEST:
        return None
    if (then := _AS_OF.match(text)) is not None:
        text = then["then"].strip()
    day_text, clock_text = _parted(text)
    clock, offset = None, None
    if clock_text:
        read = clock_of(clock_text)
        if read is None:
            return None
        clock, offset = read
    days, separator = _days(day_text)
    return Written(days, separator, clock, offset) if days else None


def _iso(text: str) -> Written | None:
    """A moment as programs write it, as nearly all are of the largest files."""
    try:
        at = datetime.fromisoformat(text[:19])
    except ValueError:
        return None
    if at.year < EARLIEST_YEAR:
        return None
    return Written((("", at.date()),), "", at.time(), 0 if text.endswith("Z") else None)


def _parted(text: str) -> tuple[str, str]:
    """The date and the time of day of a text."""
    found = _WITH_CLOCK.match(text)
    return (found["day"], found["clock"]) if found else (text, "")


@lru_cache(8192)
def clock_of(text: str) -> tuple[time, int | str | None] | None:
    """A time of day, and what is said of its zone."""
    found = _CLOCK.match(text.strip()) or _CLOCK_SHORT.match(text.strip())
    if found is None:
        return None
    parts = found.groupdict()
    hour, half = int(parts["hour"]), (parts.get("half") or "").lower().replace(".", "")
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    micro = int(((parts.get("part") or "") + "000000")[:6])
    try:
        clock = time(hour, int(parts["minute"]), int(parts["second"] or 0), micro)
    except ValueError:
        return None
    return clock, _offset(parts.get("zone") or "")


def _offset(zone: str) -> int | str | None:
    if not zone:
        return None
    if zone in ("Z", "UTC", "GMT"):
        return 0
    if zone in _EASTERN:
        return "ET"
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    return -minutes if zone[0] == "-" else minutes


def _days(text: str) -> tuple[tuple[tuple[str, date], ...], str]:
    for pattern in (_ISO, _SHORT):
        if found := pattern.match(text):
            day = _date(found["y"], found["m"], found["d"])
            return ((("", day),) if day else (), "")
    if found := _NUMERIC.match(text):
        a, b, c = found["a"], found["b"], found["c"]
        tried = {"mdy": (c, a, b), "dmy": (c, b, a)}
        if len(c) == 2:
            tried["ymd"] = (a, b, c)
        read = ((order, _date(*parts)) for order, parts in tried.items())
        return tuple((order, day) for order, day in read if day), found["s"]
    for pattern in _NAMED:
        if found := pattern.match(text):
            month = _MONTHS.get(found["m"].lower())
            day = _date(found["y"], str(month), found["d"]) if month else None
            return ((("", day),) if day else (), "")
    return (), ""


def _date(year: str, month: str, day: str) -> date | None:
    try:
        found = date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        return None
    return found if found.year >= EARLIEST_YEAR else None


@dataclass
class DateColumn:
    """What all cells of a column say of its order, for each separator they are written with."""

    orders: dict[str, set[str]] = field(default_factory=dict)
    either: dict[str, str] = field(default_factory=dict)
    has_day: bool = False
    has_clock: bool = False

    def look(self, cells: Iterable[str]) -> None:
        for cell in cells:
            found = written(cell)
            if found is None:
                continue
            self.has_day = True
            if found.clock is not None and (found.clock != time() or found.offset is not None):
                self.has_clock = True
            fits = {order: day for order, day in found.days if order in _GUESSED}
            if not found.separator or not fits:
                continue
            self.orders.setdefault(found.separator, set(_GUESSED)).intersection_update(fits)
            if len(set(fits.values())) > 1:
                self.either.setdefault(found.separator, cell.strip())

    def decided(self, said: str | None) -> dict[str, str]:
        """The order by separator, where it is decided or makes no difference; `said` beats the
        cells."""
        found: dict[str, str] = {}
        for separator, orders in self.orders.items():
            if said:
                found[separator] = said
            elif len(orders) == 1:
                found[separator] = next(iter(orders))
            elif orders and separator not in self.either:
                found[separator] = _GUESSED[0]
        return found


def moment_of(
    day: date, clock: time, offset: int | str | None, zone: tzinfo, eastern: tzinfo
) -> datetime | None:
    """A moment in UTC; without an offset of its own it is that of the file's zone."""
    of: tzinfo = zone
    if offset == "ET":
        of = eastern
    local = datetime.combine(day, clock)
    try:
        if isinstance(offset, int):
            return (local - timedelta(minutes=offset)).replace(tzinfo=UTC)
        return local.replace(tzinfo=of).astimezone(UTC)
    except OverflowError:
        return None


def not_a_date() -> FieldError:
    return FieldError("malformed", "This must be a date, such as 2026-01-31.")


def not_a_time() -> FieldError:
    return FieldError(
        "malformed", "This must be a time, such as 2026-01-31 10:00:00 or with -05:00 behind it."
    )
