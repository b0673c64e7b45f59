"""A file surveyed: each column looked at as a whole, and what it decides. Pure.

Columns of numbers are written in one style by whoever made the file. A column decides its decimal
sign by its own cells; one that could be read either way goes by the file's other numbers. Where
nothing decides and the readings differ, it is asked.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from kernel.errors import FieldError
from trades.imports.csvfile import cells_of
from trades.imports.reading.dates import ORDERS, DateColumn, written
from trades.imports.reading.heading import Heading, heading_of
from trades.imports.reading.names import (
    ACCOUNT,
    CANCELS,
    CODE,
    DATES,
    EXECUTED_AT,
    NOTE,
    NUMBERS,
    ORDERED_BY,
    OWN_ID,
    QUANTITY,
    SIDE,
    TRADE_DATE,
    TRADE_ID,
    TYPE,
    Ask,
    is_of_rejected,
)
from trades.imports.reading.numbers import EITHER, POINT, NumberColumn
from trades.imports.reading.profile import NEW_YORK
from trades.imports.reading.profiles import BY_NAME
from trades.imports.reading.reading import Options, Reading
from trades.imports.reading.sides import action_of, is_only_action
from trades.imports.records import Record

_HELD = 4096
# Whether a cell under such a column may say something of other rows.
_DEPENDS: dict[str, Callable[[str], object]] = {
    NOTE: is_only_action,
    SIDE: action_of,
    TYPE: action_of,
    CODE: str.strip,
    CANCELS: str.strip,
    OWN_ID: str.strip,
    TRADE_ID: str.strip,
}
_LOOKED_AT = frozenset((*NUMBERS, *DATES, ACCOUNT, *_DEPENDS))


@dataclass
class Survey:
    """What the columns say. `rows` counts records that are not blank, `is_signed` says whether a
    quantity is below zero, and `accounts` are the codes that the file names."""

    rows: int = 0
    is_planned: bool = False
    """Whether rows may depend on others: by their dates, by an id, or as they cancel others."""
    accounts: set[str] = field(default_factory=set)
    numbers: dict[str, NumberColumn] = field(default_factory=dict)
    dates: dict[str, DateColumn] = field(default_factory=dict)

    @property
    def is_signed(self) -> bool:
        return QUANTITY in self.numbers and self.numbers[QUANTITY].is_signed


def heading_read(start: Iterable[bytes], options: Options) -> Heading:
    """Where the table begins, as the options have it. Raises FileRefused."""
    return heading_of(
        start,
        profile=BY_NAME[options.profile] if options.profile else None,
        mapping=options.mapping,
        account=options.account,
    )


class Surveyor:
    """Looks at the columns of a file as its rows go by."""

    def __init__(self, heading: Heading) -> None:
        self.found = Survey()
        fields = heading.columns.fields
        self._width, self._delimiter = len(fields), heading.delimiter
        self._between = heading.delimiter.encode()
        self._places = {at: of for at, of in enumerate(fields) if of in _LOOKED_AT}
        self._held: dict[int, set[str]] = {at: set() for at in self._places}

    def block(self, rows: int, columns: Sequence[Collection[str]]) -> None:
        """So many rows, by column what stands in them."""
        self.found.rows += rows
        for at, of in self._places.items():
            self._look(of, columns[at])

    def record(self, record: Record) -> None:
        raw, found = record.raw, self.found
        if not raw.strip():
            return
        found.rows += 1
        if record.broken or (b'"' not in raw and raw.count(self._between) != self._width - 1):
            return
        cells = cells_of(raw.decode(), self._delimiter)
        if isinstance(cells, FieldError) or len(cells) != self._width:
            return
        for at, held in self._held.items():
            held.add(cells[at])
        if found.rows % _HELD == 0:
            self.settle()

    def settle(self) -> None:
        """Have `found` say all that was seen."""
        for at, held in self._held.items():
            self._look(self._places[at], held)
            held.clear()

    def _look(self, of: str, cells: Collection[str]) -> None:
        found = self.found
        if of in NUMBERS:
            found.numbers.setdefault(of, NumberColumn()).look(cells)
        elif of in DATES:
            found.dates.setdefault(of, DateColumn()).look(cells)
            if of in ORDERED_BY:
                found.is_planned = found.is_planned or any(cell.strip() for cell in cells)
        elif of == ACCOUNT:
            found.accounts.update(cell.strip() for cell in cells)
        elif not found.is_planned:
            found.is_planned = any(_DEPENDS[of](cell) for cell in cells)


def reading_of(
    heading: Heading, seen: Survey, options: Options, encoding: str
) -> tuple[Reading, list[Ask]]:
    """What is decided of the file, and what has to be asked before it can be booked."""
    asks = list(heading.columns.asks)
    profile = heading.profile
    fields = heading.columns.fields
    if SIDE not in fields and not seen.is_signed and profile is None and seen.rows:
        detail = "The header lacks side, and no quantity is below zero."
        asks.append(Ask("missing_column", detail))
    decimals, more = _decimals(seen, heading, options)
    asks += more
    orders, more = _orders(seen, heading, options)
    asks += more
    record = heading.record
    fields, orders = _days_of_moments(fields, orders, seen)
    reading = Reading(
        encoding=encoding,
        delimiter=heading.delimiter,
        header_line=record.line,
        names=heading.columns.names,
        fields=fields,
        place=record.end,
        line=record.next_line,
        profile=profile.name if profile else None,
        zone=options.timezone or (profile.zone if profile else NEW_YORK),
        decimals=decimals,
        orders=orders,
        account=options.account,
        harmless=bool(profile and profile.harmless) or is_of_rejected(heading.columns.names),
        newest_first=bool(profile and profile.newest_first),
    )
    return reading, asks


def _days_of_moments(
    fields: tuple[str | None, ...], orders: dict[str, dict[str, str]], seen: Survey
) -> tuple[tuple[str | None, ...], dict[str, dict[str, str]]]:
    """A column of times that never has a time of day holds dates."""
    column = seen.dates.get(EXECUTED_AT)
    if column is None or not column.has_day or column.has_clock or TRADE_DATE in fields:
        return fields, orders
    dates = tuple(TRADE_DATE if of == EXECUTED_AT else of for of in fields)
    return dates, {TRADE_DATE: orders.get(EXECUTED_AT, {})}


def _decimals(seen: Survey, heading: Heading, options: Options) -> tuple[dict[str, str], list[Ask]]:
    said = options.decimal or (heading.profile.decimal if heading.profile else None)
    if said:
        return dict.fromkeys(seen.numbers, said), []
    asks = []
    decided = {of: column.sign for of, column in seen.numbers.items()}
    others = {sign for of, sign in decided.items() if sign and not seen.numbers[of].clash}
    found: dict[str, str] = {}
    for of, column in seen.numbers.items():
        sign = decided[of]
        if not column.signs:
            asks.append(_ask_decimal(of, column.clash, "Its cells fit neither sign."))
        elif sign is not None:
            found[of] = sign
        elif not column.either:
            found[of] = POINT if len(others) != 1 else next(iter(others))
        elif len(others) == 1:
            found[of] = next(iter(others))
        else:
            asks.append(_ask_decimal(of, column.either, "Nothing in the file decides it."))
    return found, asks


def _ask_decimal(of: str, example: str, why: str) -> Ask:
    return Ask(
        "decimal_unclear",
        f"Is the comma or the point the decimal sign in {of}, as in {example}? {why}",
        "decimal",
        tuple(sorted(EITHER)),
        (example,),
    )


def _orders(
    seen: Survey, heading: Heading, options: Options
) -> tuple[dict[str, dict[str, str]], list[Ask]]:
    said = options.date_order or (heading.profile.date_order if heading.profile else None)
    asks, found = [], {}
    for of, column in seen.dates.items():
        found[of] = column.decided(said)
        for separator, orders in column.orders.items():
            if separator in found[of]:
                continue
            # The file's other dates may decide it.
            others = {
                order
                for each in seen.dates.values()
                for by, order in each.decided(said).items()
                if by == separator
            }
            if len(others) == 1 and orders:
                found[of][separator] = next(iter(others))
                continue
            example = column.either.get(separator, "")
            day = written(example) if example else None
            meant = ", ".join(str(d) for _, d in day.days) if day else ""
            asks.append(
                Ask(
                    "date_order_unclear",
                    f"Which comes first in {of}, the day or the month, as in {example}"
                    f" ({meant})? Nothing in the column decides it."
                    if example
                    else f"The dates in {of} are written in two orders.",
                    "date_order",
                    ORDERS,
                    (example,) if example else (),
                )
            )
    return found, asks
