"""The usual rows of a block: trades without a fault, whatever else the file holds. They are told by
what stands in each column, so that each cell is looked at once however often it is repeated. Pure.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from trades.imports.blocks import Block
from trades.imports.reading import names
from trades.imports.reading.beside import DOLLARS
from trades.imports.reading.reading import Reading
from trades.imports.reading.sides import Said, is_only_action
from trades.imports.reading.terms_read import PLAIN, Day

# Longer tickers may be options'.
SHORT_TICKER = 6
Check = Callable[[str], bool]


class Usual:
    """Knows those of one file. Where a field is mapped for which there is no check, or the file has
    other sections, there are none."""

    def __init__(
        self,
        reading: Reading,
        place: Mapping[str, int],
        *,
        says: Callable[[str], Said | None],
        day: Callable[[str], object],
        moment: Callable[[str], object],
        numbers: Mapping[str, Callable[[str], object]],
    ) -> None:
        self._account = reading.account
        self._place = place
        headers = frozenset(reading.names)
        has_side = names.SIDE in place

        def ticker(cell: str) -> bool:
            text = cell.strip()
            return 0 < len(text) <= SHORT_TICKER and text not in headers

        def side(cell: str) -> bool:
            word = says(cell)
            return word is not None and bool(word.side) and not word.kind and not word.action

        def quantity(cell: str) -> bool:
            found = numbers[names.QUANTITY](cell)
            if not isinstance(found, str):
                return False
            return PLAIN.match(found if has_side else found.removeprefix("-")) is not None

        def price(cell: str) -> bool:
            found = numbers[names.PRICE](cell)
            return isinstance(found, str) and PLAIN.match(found) is not None

        def trade_date(cell: str) -> bool:
            found = day(cell)
            return isinstance(found, Day) and found.more is None

        checks: dict[str, Check | None] = {
            names.TICKER: ticker, names.SIDE: side, names.QUANTITY: quantity, names.PRICE: price,
            names.TRADE_DATE: trade_date,
            names.EXECUTED_AT: lambda cell: isinstance(moment(cell), str),
            names.ACCOUNT: None, names.OWN_ID: None, names.PRICE_ZERO: None,
            names.NOTE: lambda cell: not is_only_action(cell.strip()),
            names.CURRENCY: lambda cell: cell.strip().upper() in ("", *DOLLARS),
        }  # fmt: skip
        known = reading.known
        has_any = (
            not reading.harmless
            and not (known and known.only)
            and "" not in reading.names
            and checks.keys() >= place.keys() >= {names.TICKER, names.QUANTITY, names.PRICE}
        )
        found = {at: checks[of] for of, at in place.items()} if has_any else {}
        self._checks = {at: check for at, check in found.items() if check is not None}
        self._day, self._moment = day, moment

    def others(self, block: Block, columns: Sequence[Collection[str]]) -> Sequence[int]:
        """The places of rows that have to be read one by one. `columns` holds what stands in each
        column."""
        rows, odd = block.rows, block.odd
        if not self._checks or len(odd) == len(rows):
            return range(len(rows))
        found = set(odd)
        for at, check in self._checks.items():
            bad = {cell for cell in columns[at] if not check(cell)}
            if bad:
                found.update(
                    place for place, row in enumerate(rows) if place not in odd and row[at] in bad
                )
        return sorted(found)

    def dated(self, rows: Sequence[Sequence[str]]) -> list[tuple[str, str]] | None:
        """Trade date and time of each usual row as texts, "" where it has none; None without a
        column of either."""
        days = self._texts(names.TRADE_DATE, self._day_text, rows)
        moments = self._texts(names.EXECUTED_AT, self._moment, rows)
        if days is None and moments is None:
            return None
        none = [""] * len(rows)
        return list(zip(days or none, moments or none, strict=True))

    def _texts(
        self, of: str, read: Callable[[str], object], rows: Sequence[Sequence[str]]
    ) -> list[str] | None:
        at = self._place.get(of)
        if at is None:
            return None
        text = {cell: str(read(cell)) for cell in {row[at] for row in rows}}
        return [text[row[at]] for row in rows]

    def _day_text(self, cell: str) -> str:
        found = self._day(cell)
        return found.text if isinstance(found, Day) else ""

    def ids(self, rows: Sequence[Sequence[str]]) -> list[tuple[str | None, str | None]] | None:
        """Account and own id of each usual row; None without a column of ids."""
        own, account = self._place.get(names.OWN_ID), self._place.get(names.ACCOUNT)
        if own is None:
            return None
        if self._account is not None or account is None:
            return [(self._account, row[own].strip() or None) for row in rows]
        return [(row[account].strip() or None, row[own].strip() or None) for row in rows]
