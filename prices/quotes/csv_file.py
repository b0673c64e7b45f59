"""A file of quotes, `ticker,as_of,price`: text in, rows or errors by line out. No database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from kernel.errors import FieldError
from kernel.moments import read_moment
from kernel.money import read_amount
from prices.csv_rows import error_at, read_rows

COLUMNS = ("ticker", "as_of", "price")


@dataclass(frozen=True)
class QuoteRow:
    """One line. `as_of` is in UTC; `price` is as typed, trailing zeros included."""

    line: int
    ticker: str
    as_of: datetime
    price: Decimal

    @property
    def key(self) -> str:
        return self.ticker


def read_quotes(lines: Iterable[str]) -> tuple[list[QuoteRow], list[FieldError]]:
    """All rows and all errors of a file; the header is required, its order and case are free."""
    return read_rows(lines, COLUMNS, _row)


def _row(line: int, cell: Mapping[str, str]) -> QuoteRow | FieldError:
    try:
        as_of = read_moment(cell["as_of"], blank=True)
    except ValueError:
        detail = "The time needs a date and an offset, such as 2026-01-30T15:04:05-05:00."
        return error_at(line, "malformed", detail)
    try:
        price = read_amount(cell["price"])
    except ValueError as error:
        return error_at(line, "not_a_price", f"The price: {error}")
    return QuoteRow(line, cell["ticker"], as_of, price)
