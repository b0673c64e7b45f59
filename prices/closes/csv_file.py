"""A file of closes, `ticker,session,close`: text in, rows or errors by line out. No database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from kernel.errors import FieldError
from kernel.moments import read_day
from kernel.money import read_amount
from prices.csv_rows import error_at, read_rows

COLUMNS = ("ticker", "session", "close")


@dataclass(frozen=True)
class CloseRow:
    """One line. `close` is as typed, trailing zeros included."""

    line: int
    ticker: str
    session: date
    close: Decimal

    @property
    def key(self) -> str:
        return f"{self.ticker} {self.session}"


def read_closes(lines: Iterable[str]) -> tuple[list[CloseRow], list[FieldError]]:
    """All rows and all errors of a file; the header is required, its order and case are free."""
    return read_rows(lines, COLUMNS, _row)


def _row(line: int, cell: Mapping[str, str]) -> CloseRow | FieldError:
    try:
        session = read_day(cell["session"])
    except ValueError:
        return error_at(line, "malformed", "The session must be a date, such as 2026-01-31.")
    try:
        close = read_amount(cell["close"])
    except ValueError as error:
        return error_at(line, "not_a_price", f"The close: {error}")
    return CloseRow(line, cell["ticker"], session, close)
