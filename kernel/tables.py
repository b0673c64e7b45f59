"""Tables as files for spreadsheets: CSV of any length, Excel up to a bound.

Texts that a spreadsheet would take for a formula are made harmless: in CSV as
`kernel.spreadsheet_text` says, in Excel because a cell says that it is text. Numbers stay exact:
what a double cannot hold is written to Excel as text. Times are written in ISO 8601, in UTC.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO, Any, cast

from kernel.money import normalized
from kernel.spreadsheet_text import harmless

# A sheet holds 1,048,576 rows; long before that, nobody reads it.
MAX_EXCEL_ROWS = 50_000
# As many significant digits as a double keeps of any decimal.
_EXCEL_DIGITS = 15


class TooManyRows(Exception):
    """More than an Excel file is made of here."""


def csv_lines(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The header and a line for each row, with CRLF and a byte order mark (for Excel)."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    yield "\ufeff"
    writer.writerow(columns)
    yield buffer.getvalue()
    for cells in rows:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow([_harmless(cell) for cell in cells])
        yield buffer.getvalue()


def excel_file(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    most: int = MAX_EXCEL_ROWS,
    first_width: int = 16,
) -> IO[bytes]:
    """A workbook of one sheet, in a temporary file at its beginning. Memory does not grow with the
    number of rows; above `most` raises TooManyRows."""
    file = TemporaryFile()  # noqa: SIM115 - whoever sends it closes it
    # Only here: it is a twentieth of what every process would import.
    from xlsxwriter import Workbook

    book = Workbook(file, {"constant_memory": True, "default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet(title)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, 0, first_width)
    sheet.set_column(1, len(columns), 14)
    sheet.write_row(0, 0, columns, book.add_format({"bold": True}))
    for line, cells in enumerate(rows, start=1):
        if line > most:
            file.close()
            raise TooManyRows
        for column, cell in enumerate(cells):
            _write(sheet, line, column, cell)
    book.close()
    file.seek(0)
    return cast(IO[bytes], file)


def _write(sheet: Any, line: int, column: int, cell: Any) -> None:
    if cell is None:
        return
    if isinstance(cell, bool):
        sheet.write_boolean(line, column, cell)
    elif isinstance(cell, Decimal) and len(cell.normalize().as_tuple().digits) <= _EXCEL_DIGITS:
        sheet.write_number(line, column, float(cell))
    elif isinstance(cell, int):
        sheet.write_number(line, column, cell)
    elif isinstance(cell, date) and not isinstance(cell, datetime):
        sheet.write_datetime(line, column, cell)
    else:
        sheet.write_string(line, column, _text(cell))


def _harmless(cell: Any) -> str:
    """A CSV cell; only a person's text is ever in danger of being a formula."""
    text = _text(cell)
    return harmless(text) if isinstance(cell, str) else text


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, Decimal):
        return normalized(cell)
    if isinstance(cell, datetime):
        return cell.isoformat().replace("+00:00", "Z")
    return cell.isoformat() if isinstance(cell, date) else str(cell)
