"""Files for spreadsheets: exact, and harmless."""

import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from kernel.tables import TooManyRows, csv_lines, excel_file

CELLS = [
    date(2026, 3, 18), "=1+1", Decimal("-7424.40"), None, True, 3,
    Decimal("123456789012345678.123456"), datetime(2026, 3, 18, 20, tzinfo=UTC),
]  # fmt: skip
COLUMNS = ["a", "b", "c", "d", "e", "f", "g", "h"]


def test_csv_cells_are_typed_and_formulas_are_quoted() -> None:
    text = "".join(csv_lines(COLUMNS, [CELLS]))
    assert text == (
        "\ufeffa,b,c,d,e,f,g,h\r\n"
        "2026-03-18,'=1+1,-7424.4,,true,3,123456789012345678.123456,2026-03-18T20:00:00Z\r\n"
    )


def test_excel_keeps_numbers_as_numbers_and_formulas_as_text() -> None:
    with excel_file("P&L", COLUMNS, [CELLS]) as file, zipfile.ZipFile(file) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "=1+1" in sheet
    assert "<v>-7424.4</v>" in sheet
    assert "<t>123456789012345678.123456</t>" in sheet


def test_a_sheet_with_too_many_rows_is_refused() -> None:
    excel_file("P&L", ["a"], [[1], [2]], most=2).close()
    with pytest.raises(TooManyRows):
        excel_file("P&L", ["a"], [[1], [2], [3]], most=2)
