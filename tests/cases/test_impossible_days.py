"""What cannot be is the fault of its row or its field, and the rest of the file goes on."""

import pytest

from tests.cases.test_files import booked, desk
from tests.cases.test_preview import preview, shown
from tests.trades.conftest import Desk
from tests.trades.importing import imported, lines, reasons

__all__ = ["desk"]

GOOD = {"trade_date": "2026-03-17", "executed_at": "2026-03-17T10:00:00-04:00"}


@pytest.mark.parametrize("column", GOOD)
@pytest.mark.parametrize("day", ["2026-02-30", "2026-13-01", "0000-00-00", "9999-12-31"])
def test_a_day_that_cannot_be_is_a_fault_of_its_row(desk: Desk, column: str, day: str) -> None:
    cell = day + GOOD[column][len(day) :]
    text = lines(
        f"KO,Test1,buy,1,1,{cell}",
        f"KO,Test1,buy,2,2,{GOOD[column]}",
        header=f"ticker,account,side,quantity,price,{column}",
    )
    seen = shown(desk, text)
    faults = {row["line"]: [error["attr"] for error in row["errors"]] for row in seen["rows"]}
    assert faults == {2: [column], 3: []}
    job = imported(desk, text, digest=seen["digest"])
    assert (job["rows_booked"], set(reasons(desk, job["id"]))) == (1, {2})
    assert [each.split()[2] for each in booked()] == ["2"]


@pytest.mark.parametrize("mapping", ["a\x00b", '{"a\\u0000": "price"}', '{"\\ud800": "price"}'])
def test_a_mapping_of_what_cannot_be_stored_is_refused(desk: Desk, mapping: str) -> None:
    answer = preview(desk, lines("KO,Test1,buy,1,1"), mapping=mapping)
    assert answer.status_code == 400
    assert [error["attr"] for error in answer.json()["errors"]] == ["mapping"]
