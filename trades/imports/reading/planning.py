"""A plan in the making, which only the whole of a file gives: the order of its rows, those that
cancel or correct others, and ids that it repeats. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from itertools import accumulate, compress, count

from trades.imports.blocks import Block
from trades.imports.reading.encoding import Read
from trades.imports.reading.groups import Groups
from trades.imports.reading.limited import Limited
from trades.imports.reading.names import (
    CANCELS,
    CODE,
    NOTE,
    ORDERED_BY,
    OWN_ID,
    TIME,
    TRADE_ID,
    TYPE,
)
from trades.imports.reading.outcome import Outcome, Row
from trades.imports.reading.plan import Ids, Plan, Units, Verdict, day_of, order_key, ordered
from trades.imports.reading.reading import Reading
from trades.imports.reading.rows import RowReader
from trades.imports.reading.terms_read import Passed, dates_said
from trades.imports.records import Record, records

# Columns by which rows may depend on others.
_DEPENDING = frozenset((*ORDERED_BY, TIME, OWN_ID, TRADE_ID, NOTE, TYPE, CODE, CANCELS))
_MOST_FOLLOWERS = 64


class Planner:
    """Told of all rows of a file in its order, as records or in blocks; then asked for the plan.

    Where no column may make rows depend on each other, it only counts, and `keeps` no units. It
    `is_short` of them where a side nevertheless says that its row cancels another.
    """

    def __init__(
        self, reading: Reading, *, today: date, order: str | None, keeps: bool | None = None
    ) -> None:
        self.reading = reading
        self.is_short = False
        self._order = order
        if keeps is None:
            keeps = order is not None or reading.newest_first
            keeps = keeps or any(of in _DEPENDING for of in reading.fields)
        self.keeps = keeps
        self._reader = RowReader(reading)
        self._today = today
        self._units, self._ids, self._groups = Units(), Ids(), Groups()
        self._passed: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._at = self._started = self._last = 0
        self._start = reading.place

    def record(self, record: Record) -> None:
        """A record, blank ones too."""
        row = self._reader.read(record) if record.raw.strip() else None
        self._outcome(row, self._start, record.end, record.line)

    def _outcome(self, row: Outcome | None, start: int, end: int, line: int) -> None:
        self._start = end
        self._at += 1
        if isinstance(row, Row):
            self._trade(row, start, end, line)
            return
        if isinstance(row, Passed):
            self._passed[row.kind] += 1
        elif row is not None:
            self._faults[row[0].code] += 1
        units = self._units
        if not self.keeps:
            return
        if len(units) and self._at - self._started < _MOST_FOLLOWERS:
            units.ends[-1] = end
        else:
            units.add(self._last, start, end, line, is_trade=False)
            self._started = self._at

    def _trade(self, row: Row, start: int, end: int, line: int) -> None:
        if not self.keeps:
            self.is_short = self.is_short or bool(row.action)
            return
        self._last = order_key(row.values, self._today)
        unit, self._started = len(self._units), self._at
        self._units.add(self._last, start, end, line, is_trade=True)
        self._ids.add(unit, row.values)
        self._groups.see(unit, row)

    def block(self, block: Block, columns: Sequence[Collection[str]]) -> None:
        """A block, and by column what stands in it. All of its usual rows are trades."""
        ends = list(accumulate(block.sizes, initial=block.start))
        read, done = self._reader.of_cells, 0
        for at in self._reader.usual.others(block, columns):
            if at > done:
                self._usual(block, ends, done, at)
            self._outcome(read(block.rows[at]), ends[at], ends[at + 1], block.line + at)
            done = at + 1
        self._usual(block, ends, done, len(block.rows))

    def _usual(self, block: Block, ends: list[int], first: int, last: int) -> None:
        size = last - first
        if not size:
            return
        self._at += size
        self._started, self._start = self._at, ends[last]
        if not self.keeps:
            return
        usual, units, rows = self._reader.usual, self._units, block.rows[first:last]
        dated = usual.dated(rows)
        if dated is None:
            keys = [order_key({}, self._today)] * size
        else:
            key_of = {each: order_key(dates_said(*each), self._today) for each in set(dated)}
            keys = [key_of[each] for each in dated]
        unit = len(units)
        units.extend(keys, ends[first : last + 1], block.line + first)
        self._last = keys[-1]
        self._ids.extend(unit, usual.ids(rows))

    def plan(self, read: Read, limited: Limited | None = None) -> Plan:
        """The plan; `read` gives the file once more, for rows that others name or make possible."""
        units, groups = self._units, self._groups
        self._ids.judge(units)
        if groups.changes or limited is not None:
            for unit, row in zip(
                compress(count(), units.trades), self._read_again(read), strict=False
            ):
                if groups.changes:
                    groups.find(unit, row)
                if limited is not None:
                    limited.see(unit, row.values, day_of(units.keys[unit]))
        for unit, what in groups.judged():
            units.verdicts[unit] = Verdict[what.upper()]
        found, newest_first = ordered(self.reading, units, self._order, limited)
        return Plan(units, found, newest_first, self._passed, self._faults)

    def _read_again(self, read: Read) -> Iterator[Row]:
        for record in body(self.reading, read()):
            if record.raw.strip():
                row = self._reader.read(record)
                if isinstance(row, Row):
                    yield row


def plan_of(
    reading: Reading,
    read: Read,
    *,
    today: date,
    order: str | None,
    limited: Limited | None = None,
) -> Plan:
    """Look through all rows as they are read. `today` is the trade date of rows without one, and
    `order` what a person says of the file's; `limited` puts off sales that a purchase of the same
    day makes possible."""
    planner = Planner(reading, today=today, order=order, keeps=True)
    for record in body(reading, read()):
        planner.record(record)
    return planner.plan(read, limited)


def body(reading: Reading, parts: Iterable[bytes]) -> Iterator[Record]:
    """The records below the header, blank ones too."""
    for record in records(parts, delimiter=reading.delimiter):
        if record.end > reading.place:
            yield record
