"""Lists of trades as files for spreadsheets: CSV of any length, Excel up to a bound.

Texts that a spreadsheet would take for a formula are made harmless: in CSV by an apostrophe before
them, in Excel because a cell says that it is text. Numbers stay exact: what a double cannot hold is
written to Excel as text.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO, Any, cast

from xlsxwriter import Workbook

from kernel.money import normalized
from trades.selectors import TradeRow

COLUMNS = (
    "id", "account", "ticker", "side", "quantity", "price", "trade_date", "executed_at",
    "booked_at", "booked_by", "version", "status", "request_group", "client_trade_id", "note",
    "trade_pnl",
)  # fmt: skip
# A sheet holds 1,048,576 rows; long before that, nobody reads it.
MAX_EXCEL_ROWS = 50_000
# As many significant digits as a double keeps of any decimal.
EXCEL_DIGITS = 15
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


class TooManyRows(Exception):
    """More than an Excel file is made of here."""


def csv_lines(rows: Iterable[TradeRow]) -> Iterator[str]:
    """The header and a line for each row, with CRLF and a byte order mark (for Excel)."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    yield "\ufeff"
    for cells in _table(rows):
        writer.writerow([_plain(cell) for cell in cells])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def excel_file(rows: Iterable[TradeRow]) -> IO[bytes]:
    """A workbook of one sheet, in a temporary file at its beginning. Memory does not grow with the
    number of rows; above `MAX_EXCEL_ROWS` raises TooManyRows."""
    file = TemporaryFile()  # noqa: SIM115 - whoever sends it closes it
    book = Workbook(file, {"constant_memory": True, "default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet("Trades")
    bold = book.add_format({"bold": True})
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, 0, 38)
    sheet.set_column(1, len(COLUMNS), 14)
    for line, cells in enumerate(_table(rows)):
        if line > MAX_EXCEL_ROWS:
            file.close()
            raise TooManyRows
        for column, cell in enumerate(cells):
            if line == 0:
                sheet.write_string(line, column, str(cell), bold)
            elif (
                isinstance(cell, Decimal)
                and len(cell.normalize().as_tuple().digits) <= EXCEL_DIGITS
            ):
                sheet.write_number(line, column, float(cell))
            elif isinstance(cell, int):
                sheet.write_number(line, column, cell)
            elif isinstance(cell, date) and not isinstance(cell, datetime):
                sheet.write_datetime(line, column, cell)
            elif cell is not None:
                sheet.write_string(line, column, _text(cell))
    book.close()
    file.seek(0)
    return cast(IO[bytes], file)


def _table(rows: Iterable[TradeRow]) -> Iterator[list[Any]]:
    yield list(COLUMNS)
    for row in rows:
        values = asdict(row)
        yield [values[name] for name in COLUMNS]


def _plain(cell: Any) -> str:
    """A CSV cell: a person's text that begins as a formula does gets an apostrophe before it."""
    text = _text(cell)
    return f"'{text}" if isinstance(cell, str) and text.startswith(_FORMULA) else text


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return normalized(cell)
    return cell.isoformat() if isinstance(cell, date) else str(cell)
