"""One record of a file as one trade, in the plain words that a booking is checked in; or passed
over, by kind; or refused. Pure.

The reader changes how a thing is written, never what it says: `trades.bookings` judges the result
as it judges every booking. Cells repeat, so that each column remembers what its cells meant.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from kernel.errors import FieldError
from kernel.spreadsheet_text import meant
from trades.fee_kinds import FEE_KINDS
from trades.imports.csvfile import cells_of
from trades.imports.reading import kinds, names
from trades.imports.reading.beside import Beside
from trades.imports.reading.numbers import POINT
from trades.imports.reading.outcome import Outcome, Row
from trades.imports.reading.reading import Reading
from trades.imports.reading.sides import Said, is_only_action, said
from trades.imports.reading.terms_read import (
    PLAIN,
    Day,
    Passed,
    amount_price,
    day_reader,
    fee_reader,
    moment_reader,
    number_reader,
    row_days,
)
from trades.imports.reading.usual import SHORT_TICKER, Usual
from trades.imports.records import Record
from trades.terms import REQUIRED, SIDES

_REMEMBERED = 8192
_ANY_DAY = "2026-01-31"
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", re.ASCII)
_QUICK = frozenset(
    {
        None, names.ACCOUNT, names.TICKER, names.SIDE, names.QUANTITY, names.PRICE,
        names.TRADE_DATE, names.OWN_ID, names.NOTE,
    }
)  # fmt: skip
_NEVER_CLOSED = FieldError("bad_quotes", "A quote in this line is never closed.")
_CLASH = FieldError(
    "sign_contradicts", "The side says buy and the quantity is below zero.", "quantity"
)
_UNCLEAR = FieldError("invalid_choice", "This must be buy or sell.", "side")
_SPLIT = FieldError(
    "split_number",
    "The note is the rest of a number: is one written with thousands separators? Write 1000 for"
    " 1,000, or put words into the note.",
    "note",
)
_NO_DAY = Day("", None)
# What 1,250 | 70.32 and 10 | 1,070.41 leave in the cells of price and note.
_SPLIT_CELLS = re.compile(r"([0-9]{3}\0[0-9]+|[0-9]{1,3}\0[0-9]{3})\.[0-9]+", re.ASCII)
_SAYS_NO_TRADE = frozenset((names.ACCOUNT, names.NOTE, names.SIDE, *FEE_KINDS))


class RowReader:
    """Reads the records of one file as its reading says."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.width = len(reading.names)
        self._delimiter, self._harmless = reading.delimiter, reading.harmless
        self._known = reading.known
        self._names = frozenset(reading.names)
        place = {of: at for at, of in enumerate(reading.fields) if of is not None}
        self._place = place
        self._texts = tuple((of, place[of]) for of in names.TEXTS if of in place)
        numbers = {of: self._number(of) for of in names.NUMBERS if of in place}
        self._numbers = tuple((of, place[of], read) for of, read in numbers.items())
        self._side = place.get(names.SIDE)
        self._says = _remember(self._side_of)
        self._day = _remember(day_reader(reading.orders.get(names.TRADE_DATE, {})))
        self._moment = _remember(
            moment_reader(reading.orders.get(names.EXECUTED_AT, {}), reading.tz)
        )
        self.usual = Usual(
            reading, place, says=self._says, day=self._day, moment=self._moment, numbers=numbers
        )
        self._settles = place.get(names.SETTLES)
        self._settled = _remember(day_reader(reading.orders.get(names.SETTLES, {}), names.SETTLES))
        self._dated = any(of in place for of in (*names.ORDERED_BY, names.TIME))
        self._beside = Beside(place)
        priced, noted = place.get(names.PRICE), place.get(names.NOTE)
        # A number with unquoted separators moves what follows it one cell on, up to the note.
        is_next = self._delimiter == "," and priced is not None and noted == priced + 1
        self._splits_at = noted if is_next else None
        only = self._known.only if self._known else {}
        plain_names = [names.plain(name) for name in reading.names]
        self._only = tuple((plain_names.index(name), words) for name, words in only.items())
        self._quick = () if self._is_special(place) else reading.fields
        self._unnamed = tuple(
            at
            for at, name in enumerate(reading.names)
            if not name and reading.fields[at] is None and self._known is None
        )

    def _number(self, of: str) -> Callable[[str], Any]:
        sign = self.reading.sign(of)
        if of in FEE_KINDS:
            paid_below = bool(self._known and self._known.fees_below)
            return _remember(fee_reader(of, sign, paid_below=paid_below))
        return _remember(number_reader(of, sign))

    def _is_special(self, place: Mapping[str, int]) -> bool:
        """Whether rows must be read with care, however they are written."""
        reading = self.reading
        signs = {reading.sign(of) for of in (names.QUANTITY, names.PRICE)}
        return (
            not _QUICK.issuperset(reading.fields)
            or not {names.SIDE, names.ACCOUNT} <= place.keys()
            or signs != {POINT}
            or reading.account is not None
            or reading.harmless
            or "" in reading.names
            or self._known is not None
        )

    def cells(self, record: Record) -> list[str] | FieldError:
        """The cells as they are meant."""
        cells = cells_of(record.raw.decode(), self._delimiter)
        if self._harmless and not isinstance(cells, FieldError):
            return [meant(cell) for cell in cells]
        return cells

    def read(self, record: Record) -> Outcome:
        if record.broken:
            return [_NEVER_CLOSED]
        cells = cells_of(record.raw.decode(), self._delimiter)
        return [cells] if isinstance(cells, FieldError) else self.of_cells(cells)

    def of_cells(self, cells: list[str]) -> Outcome:
        """The same of the cells as they stand in the file."""
        if self._harmless:
            cells = [meant(cell) for cell in cells]
        if self._is_split(cells):
            return [_SPLIT]
        if self._quick and len(cells) == self.width:
            quick = self._plain_row(cells)
            if quick is not None:
                return quick
        for at, words in self._only:
            if at >= len(cells) or names.plain(cells[at]) not in words:
                return Passed(kinds.SECTION)
        if len(cells) != self.width:
            return self._other_width(cells)
        for at in self._unnamed:
            if cells[at].strip():
                return [_wrong_count(self.width, self.width - len(self._unnamed))]
        return self._row(cells)

    def _is_split(self, cells: Sequence[str]) -> bool:
        at = self._splits_at
        if at is None or len(cells) != self.width or not (note := cells[at].strip()):
            return False
        return _SPLIT_CELLS.fullmatch(f"{cells[at - 1].strip()}\0{note}") is not None

    def _plain_row(self, cells: Sequence[str]) -> Row | None:
        """A row that is written as this product documents it, as nearly all are of the largest
        files; None for any other, which is read with care."""
        values = {of: cell for of, cell in zip(self._quick, cells, strict=True) if of and cell}
        get = values.get
        ticker = get(names.TICKER, "")
        if (
            get(names.SIDE) in SIDES
            and ticker.isalnum()
            and len(ticker) <= SHORT_TICKER
            and ticker not in self._names
            and PLAIN.match(get(names.QUANTITY, ""))
            and PLAIN.match(get(names.PRICE, ""))
            and (account := get(names.ACCOUNT, "")) == account.strip() != ""
            and _ISO_DAY.match(get(names.TRADE_DATE, _ANY_DAY))
            and isinstance(self._day(get(names.TRADE_DATE, _ANY_DAY)), Day)
            and not is_only_action(get(names.NOTE, ""))
            and (own := get(names.OWN_ID, "-")) == own.strip() != ""
        ):
            return Row(values)
        return None

    def _row(self, cells: list[str]) -> Outcome:
        errors: list[FieldError] = []
        values = self._values(cells, errors)
        word = Said() if self._side is None else self._says(cells[self._side])
        if (unclear := word is None) or word is None:
            # Refused in a booking's own words, with all else that is wrong.
            values[names.SIDE] = cells[self._side or 0]
            word = Said()
        ticker = values.get(names.TICKER, "")
        if errors or unclear or not ticker or names.QUANTITY not in values or ticker in self._names:
            other = self._other_kind(cells, word, values)
            if other is not None:
                return other
        row = Row(values)
        if self._beside or len(ticker) > SHORT_TICKER or word.kind or word.action:
            said_more = self._beside.row(cells, values, word, errors)
            if isinstance(said_more, Passed):
                return said_more
            row = said_more
        if names.NOTE in values and not row.action and (only := is_only_action(values[names.NOTE])):
            row = row._replace(action=only)
        self._sided(values, word, row.action, errors)
        if self._dated:
            self._days(cells, values, errors)
            self._beside.time_known(cells, values)
        if self._settles is not None:
            self._settling(cells[self._settles], values, errors)
        if names.AMOUNT in values:
            self._priced(values, errors)
        if errors:
            return _ordered([*errors, _UNCLEAR] if unclear else errors)
        for of in REQUIRED:
            values.setdefault(of, "")
        return row

    def _values(self, cells: Sequence[str], errors: list[FieldError]) -> dict[str, str]:
        """The texts and the numbers of a row that are not empty."""
        values: dict[str, str] = {}
        for of, at in self._texts:
            if text := cells[at].strip():
                values[of] = text
        if self.reading.account is not None:
            values[names.ACCOUNT] = self.reading.account
        for of, at, read in self._numbers:
            found = read(cells[at])
            if found.__class__ is not str:
                errors.append(found)
            elif found:
                values[of] = found
        return values

    def _other_width(self, cells: Sequence[str]) -> Outcome:
        if len(" ".join(cells).strip()) >= kinds.SHORTEST:
            if kinds.is_total(cells):
                return Passed(kinds.TOTAL)
            if kinds.is_text(cells):
                return Passed(kinds.TEXT)
        elif not "".join(cells).strip():
            return Passed(kinds.BLANK)
        return [_wrong_count(len(cells), self.width)]

    def _other_kind(
        self, cells: Sequence[str], word: Said, values: dict[str, str]
    ) -> Passed | None:
        """What a row without ticker or quantity is, where it is no faulty trade."""
        if not any(cell.strip() for cell in cells):
            return Passed(kinds.BLANK)
        if tuple(cell.strip() for cell in cells) == self.reading.names:
            return Passed(kinds.HEADER)
        if word.kind:
            return Passed(word.kind)
        if not word.side and kinds.is_total(cells):
            return Passed(kinds.TOTAL)
        said_nothing = not (values.keys() - _SAYS_NO_TRADE or word.side)
        if said_nothing and kinds.is_text(cells):
            return Passed(kinds.TEXT)
        return None

    def _side_of(self, cell: str) -> Said | None:
        if self._known and (kind := self._known.kinds.get(names.plain(cell))):
            return Said(kind=kind)
        return said(cell[:200])

    def _sided(
        self, values: dict[str, str], word: Said, action: str, errors: list[FieldError]
    ) -> None:
        """The side by word and by sign, which must agree; the quantity without its sign."""
        quantity = values.get(names.QUANTITY, "")
        is_negative = quantity.startswith("-")
        if is_negative:
            values[names.QUANTITY] = quantity[1:]
        if self._side is None:
            values[names.SIDE] = "sell" if is_negative else "buy"
            return
        if word.side:
            values[names.SIDE] = word.side
        if is_negative and word.side == "buy" and action != "cancel":
            errors.append(_CLASH)

    def _days(self, cells: Sequence[str], values: dict[str, str], errors: list[FieldError]) -> None:
        place = self._place
        day: Any = _NO_DAY
        if (at := place.get(names.TRADE_DATE)) is not None:
            day = self._day(cells[at])
        moment: Any = ""
        if (at := place.get(names.EXECUTED_AT)) is not None:
            moment = self._moment(cells[at])
        at = place.get(names.TIME)
        row_days(
            values, day, moment, "" if at is None else cells[at], self.reading.tz,
            names.EXECUTED_AT in place, errors,
        )  # fmt: skip

    def _settling(self, cell: str, values: dict[str, str], errors: list[FieldError]) -> None:
        day = self._settled(cell)
        if isinstance(day, FieldError):
            errors.append(day)
        elif day.text:
            values[names.SETTLES] = day.text

    def _priced(self, values: dict[str, str], errors: list[FieldError]) -> None:
        """The price that the amount comes to, where the file has none."""
        amount = values.pop(names.AMOUNT)
        if names.PRICE in values or errors or not values.get(names.QUANTITY):
            return
        price = amount_price(amount, values[names.QUANTITY])
        if isinstance(price, FieldError):
            errors.append(price)
        else:
            values[names.PRICE] = price


def _remember(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """The same for the same cell, as long as it is among those seen lately."""
    return lru_cache(_REMEMBERED)(read)


_ORDER = {of: at for at, of in enumerate(REQUIRED)}


def _ordered(errors: list[FieldError]) -> list[FieldError]:
    return sorted(errors, key=lambda error: _ORDER.get(error.attr or "", len(_ORDER)))


@lru_cache(1024)
def _wrong_count(found: int, wanted: int) -> FieldError:
    """Kept, as a file may have a million such rows."""
    if found > wanted:
        detail = f"This row has {found} cells, the header {wanted}."
        hint = " Is a number written with thousands separators? Write 1000 for 1,000."
        return FieldError("too_many_cells", detail + hint)
    return FieldError("too_few_cells", f"This row has only {found} cells, the header {wanted}.")
