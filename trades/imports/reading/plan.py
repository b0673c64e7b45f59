"""The plan of a file: the order of its rows, and what the file as a whole says of some. Pure.

A row that is a trade begins a unit; what is none (a dividend, a fault, a blank line) belongs to the
unit before it. Units are put in the order of trade date and time. Of rows with the same date and no
time, the file's own order counts, or the reverse of it where the file runs from the newest to the
oldest.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import IntEnum
from itertools import compress, pairwise

from kernel.clock import new_york
from kernel.errors import FieldError
from trades.imports.reading.limited import Limited
from trades.imports.reading.names import ACCOUNT, EXECUTED_AT, OWN_ID, TRADE_DATE
from trades.imports.reading.reading import Reading

OLDEST_FIRST, NEWEST_FIRST = "oldest_first", "newest_first"

_BUCKETS = 64
# The last day of the calendar, 3,652,059, and its times fit into 63 bits.
_SHIFT = 41
_HALF = 1 << (_SHIFT - 1)


class Verdict(IntEnum):
    """What the file as a whole says of one row."""

    NONE = 0
    REPEATED = 1
    CANCELLED = 2
    CANCELS_UNKNOWN = 3
    CORRECTS_UNKNOWN = 4


REFUSALS = {
    Verdict.REPEATED: FieldError(
        "id_repeated",
        "Its client_trade_id is there for several rows. Where it is an order's, pass its column"
        " over.",
        OWN_ID,
    ),
    Verdict.CANCELS_UNKNOWN: FieldError(
        "cancels_unknown", "It cancels a trade that is not in this file."
    ),
    Verdict.CORRECTS_UNKNOWN: FieldError(
        "corrects_unknown",
        "It corrects a trade, and what it corrects cannot be found in this file.",
    ),
}


@dataclass
class Units:
    """Where each unit of a file begins and ends, its first line, and what it is ordered by."""

    keys: "array[int]" = field(default_factory=lambda: array("q"))
    starts: "array[int]" = field(default_factory=lambda: array("Q"))
    ends: "array[int]" = field(default_factory=lambda: array("Q"))
    lines: "array[int]" = field(default_factory=lambda: array("Q"))
    verdicts: bytearray = field(default_factory=bytearray)
    trades: bytearray = field(default_factory=bytearray)
    """1 for a unit that begins with a trade."""

    def add(self, key: int, start: int, end: int, line: int, *, is_trade: bool) -> None:
        self.trades.append(is_trade)
        self.keys.append(key)
        self.starts.append(start)
        self.ends.append(end)
        self.lines.append(line)
        self.verdicts.append(Verdict.NONE)

    def extend(self, keys: Sequence[int], places: Sequence[int], line: int) -> None:
        """Trades that follow each other, a line each. `places` are where each begins, and where the
        last one ends."""
        size = len(keys)
        self.trades.extend(b"\1" * size)
        self.keys.extend(keys)
        self.starts.extend(places[:-1])
        self.ends.extend(places[1:])
        self.lines.extend(range(line, line + size))
        self.verdicts.extend(bytes(size))

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True)
class Plan:
    """`order` is that in which the units are booked, None for the file's own."""

    units: Units
    order: list[int] | None
    newest_first: bool
    passed: "Counter[str]" = field(default_factory=Counter)
    faults: "Counter[str]" = field(default_factory=Counter)
    """How many rows are passed over, by kind, and refused by the reader, by code."""

    @property
    def is_as_filed(self) -> bool:
        return self.order is None and not any(self.units.verdicts)


def day_of(key: int) -> int:
    """The trade date of a unit, as an ordinal."""
    return key >> _SHIFT


def order_key(values: dict[str, str], today: date) -> int:
    """What a row is ordered by: its trade date, and the time in it."""
    day, moment = values.get(TRADE_DATE), values.get(EXECUTED_AT)
    when = datetime.fromisoformat(moment) if moment else None
    of = date.fromisoformat(day) if day else today if when is None else new_york(when).date()
    if when is None:
        return of.toordinal() << _SHIFT
    since = when - datetime(of.year, of.month, of.day, tzinfo=UTC)
    within = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds + _HALF // 2
    return (of.toordinal() << _SHIFT) + min(max(within, 0), 2 * _HALF - 1)


class Ids:
    """Which units have an id that another one has too, in eight bytes a unit."""

    def __init__(self) -> None:
        self._hashes = array("q")
        self._any = False

    def add(self, unit: int, values: dict[str, str]) -> None:
        own = values.get(OWN_ID)
        self._any = self._any or own is not None
        self._hashes.extend([0] * (unit - len(self._hashes)))
        self._hashes.append(hash((values.get(ACCOUNT), own)) or 1 if own is not None else 0)

    def extend(self, unit: int, ids: Iterable[tuple[str | None, str | None]] | None) -> None:
        """Of units that follow each other, account and id."""
        self._hashes.extend([0] * (unit - len(self._hashes)))
        if ids is None:
            return
        self._any = True
        self._hashes.extend(0 if own is None else hash((account, own)) or 1 for account, own in ids)

    def judge(self, units: Units) -> None:
        if not self._any:
            return
        buckets = [array("q") for _ in range(_BUCKETS)]
        for each in self._hashes:
            if each:
                buckets[each % _BUCKETS].append(each)
        twice: set[int] = set()
        for bucket in buckets:
            seen: set[int] = set()
            for each in bucket:
                (twice if each in seen else seen).add(each)
        for unit, each in enumerate(self._hashes):
            if each in twice:
                units.verdicts[unit] = Verdict.REPEATED


def ordered(
    reading: Reading, units: Units, order: str | None, limited: Limited | None
) -> tuple[list[int] | None, bool]:
    """The order of booking, None for the file's own; and whether the newest come first in it."""
    keys = units.keys
    up = down = 0
    for one, following in pairwise(compress(keys, units.trades)):
        up += one < following
        down += one > following
    if order is not None:
        newest_first = order == NEWEST_FIRST
    else:
        newest_first = down > up if up or down else reading.newest_first
    found: list[int] | None = None
    if newest_first or down:
        size = len(keys)
        within = range(size - 1, -1, -1) if newest_first else range(size)
        found = sorted(within, key=keys.__getitem__)
    if limited is not None:
        found = limited.put_off(found or range(len(keys)), units.verdicts) or found
    return found, newest_first
