"""What page and server both rule of a row and of a cell: one table of inputs with which both are
tested, `tests/wire/rows.json`; the page is by `frontend/tests/bulk.test.ts`."""

import json
from pathlib import Path
from typing import Any

import pytest

from kernel.spreadsheet_text import harmless, meant
from trades.bookings import booking_of
from trades.terms import Booking

TABLE = json.loads((Path(__file__).parents[1] / "wire" / "rows.json").read_text())
ROW = {"account": "Test1", "ticker": "IBM", "side": "buy", "quantity": "10", "price": "143.50"}


@pytest.mark.parametrize(("changed", "wrong"), TABLE["rows"], ids=str)
def test_a_row_is_taken_or_refused_by_its_field(changed: dict[str, str], wrong: Any) -> None:
    said = {of: text for of, text in (ROW | changed).items() if text}
    found = booking_of(said, is_text=True)
    if wrong is None:
        assert isinstance(found, Booking), found
    else:
        assert isinstance(found, list)
        assert [error.attr for error in found] == [wrong]


@pytest.mark.parametrize(("text", "cell"), TABLE["texts"])
def test_a_text_is_written_so_that_it_comes_back(text: str, cell: str) -> None:
    assert harmless(text) == cell
    assert meant(cell) == text
