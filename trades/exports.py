"""Lists of trades as files for spreadsheets: the columns, and what a row of them is."""

from collections.abc import Iterable, Iterator
from typing import IO, Any

from kernel import tables
from kernel.tables import TooManyRows
from trades.fee_kinds import FEE_KINDS
from trades.selectors import ANSWERED, TradeRow
from trades.terms import FEES

__all__ = ["COLUMNS", "MAX_EXCEL_ROWS", "TooManyRows", "csv_lines", "excel_file"]

# As a file says them: a column a kind of fee.
COLUMNS = tuple(
    column
    for name in ANSWERED
    if name != "pnl_valid"
    for column in (FEE_KINDS if name == FEES.name else (name,))
)
MAX_EXCEL_ROWS = tables.MAX_EXCEL_ROWS
# A trade's id is longer than other cells.
_ID_WIDTH = 38


def csv_lines(rows: Iterable[TradeRow]) -> Iterator[str]:
    return tables.csv_lines(COLUMNS, _cells(rows))


def excel_file(rows: Iterable[TradeRow]) -> IO[bytes]:
    """Above `MAX_EXCEL_ROWS` raises TooManyRows."""
    return tables.excel_file(
        "Trades", COLUMNS, _cells(rows), most=MAX_EXCEL_ROWS, first_width=_ID_WIDTH
    )


def _cells(rows: Iterable[TradeRow]) -> Iterator[list[Any]]:
    for row in rows:
        paid = {fee["kind"]: fee["amount"] for fee in row.fees}
        yield [
            paid.get(name) if name in FEE_KINDS else _cell(getattr(row, name)) for name in COLUMNS
        ]


def _cell(value: Any) -> Any:
    """Tags stand in one cell."""
    return " ".join(value) if isinstance(value, tuple) else value
