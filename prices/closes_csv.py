"""A file of closes, `ticker,session,close`: text in, rows or errors by line out. No database."""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from kernel.errors import FieldError
from prices.amounts import read_amount

COLUMNS = ("ticker", "session", "close")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", re.ASCII)


@dataclass(frozen=True)
class CloseRow:
    """One line. `close` is as typed, trailing zeros included."""

    line: int
    ticker: str
    session: date
    close: Decimal


def error_at(line: int, code: str, detail: str) -> FieldError:
    return FieldError(code, detail, f"line {line}")


def read_closes(lines: Iterable[str]) -> tuple[list[CloseRow], list[FieldError]]:
    """All rows and all errors of a file; the header is required, its order and case are free."""
    reader = csv.reader(lines, strict=True)
    rows: list[CloseRow] = []
    errors: list[FieldError] = []
    first_seen: dict[tuple[str, date], int] = {}
    last_read = 0
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if sorted(header) != sorted(COLUMNS):
            return [], [error_at(1, "header", f"The first line must be {','.join(COLUMNS)}.")]
        last_read = reader.line_num
        for cells in reader:
            last_read = reader.line_num
            if not cells:
                continue
            row = _row(reader.line_num, header, cells)
            if isinstance(row, FieldError):
                errors.append(row)
                continue
            first = first_seen.setdefault((row.ticker, row.session), row.line)
            if first != row.line:
                detail = f"{row.ticker} {row.session} stands in line {first} already."
                errors.append(error_at(row.line, "doubled", detail))
            rows.append(row)
    except (csv.Error, UnicodeDecodeError) as error:
        errors.append(error_at(last_read + 1, "not_csv", f"This cannot be read: {error}."))
    return rows, errors


def _row(line: int, header: list[str], cells: list[str]) -> CloseRow | FieldError:
    if len(cells) != len(header):
        return error_at(line, "columns", f"This line has {len(cells)} columns, not {len(header)}.")
    cell = dict(zip(header, (text.strip() for text in cells), strict=True))
    if not _DATE.match(cell["session"]):
        return error_at(line, "malformed", "The session must be a date, such as 2026-01-31.")
    try:
        session = date.fromisoformat(cell["session"])
    except ValueError:
        return error_at(line, "malformed", f"There is no date {cell['session']}.")
    try:
        close = read_amount(cell["close"])
    except ValueError as error:
        return error_at(line, "not_a_price", f"The close: {error}")
    return CloseRow(line, cell["ticker"], session, close)
