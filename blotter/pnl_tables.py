"""P&L of sessions as tables for files: every row says what it is of, and what was known when."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from blotter.rows import Today, pnl_rows
from kernel.api.rows import Row
from kernel.pnl import SHOWN
from kernel.postgres.standby import past

# Sessions that are read at a time.
PIECE = {"account": 64, "ticker": 8}

# The figures of a row, and what they are called.
FIGURES = {**SHOWN, "correction_pnl": "corrections"}
_NUMBERS = {
    *FIGURES, "opening_quantity", "closing_quantity", "previous_close", "mark",
}  # fmt: skip
_STATE = ("state", "pnl_valid", "pnl_reason", "invalid_rows", "calculated_at", "restated_at")
_OF_THE_FILE = ("known_at", "price_source")
COLUMNS = {
    "account": ("session", "account", *FIGURES, *_STATE, *_OF_THE_FILE),
    "ticker": (
        "session", "account", "ticker", "opening_quantity", "closing_quantity", "previous_close",
        "mark", "mark_price_source", *FIGURES, *_STATE, *_OF_THE_FILE,
    ),
}  # fmt: skip


def state_of(row: Row, today: Today) -> str:
    """`live` on the business date; else `final` (from official closes) or `provisional`."""
    if row["session"] == today.business_date.isoformat():
        return "live"
    return "final" if row["is_final"] else "provisional"


def table_rows(
    *, accounts: Mapping[int, str], days: Sequence[date], by: str, today: Today
) -> Iterator[list[Any]]:
    """The cells of `COLUMNS[by]`, session by session; read in pieces as they are asked for."""
    for start in range(0, len(days), PIECE[by]):
        piece = days[start : start + PIECE[by]]
        read = partial(
            pnl_rows, accounts=accounts, days=piece, by=by, today=today, with_sources=True
        )
        # What lies behind the business date may come from a standby, and is then of its moment.
        found = past(read, where=max(piece) < today.business_date)
        for row in found.value:
            values = {
                **row,
                "state": state_of(row, today),
                "known_at": found.as_of or today.now,
                "price_source": today.price_source,
            }
            yield [_cell(name, values[name]) for name in COLUMNS[by]]


def _cell(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _NUMBERS:
        return Decimal(value)
    if name == "session":
        return date.fromisoformat(value)
    if name in ("calculated_at", "restated_at"):
        return datetime.fromisoformat(value)
    return value
