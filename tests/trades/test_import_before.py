"""What an import knows of what was booked before: the same bytes, and trades that its rows change.
Nobody is told of accounts that they may not view."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from eqtrade.up.postgres import PostgresServer
from tests import factories as make
from tests.cases.test_preview import preview
from tests.trades.conftest import Desk, make_desk
from tests.trades.importing import HEADER, ROW, URL, imported, lines, reasons, upload, work
from trades.models import Trade

TEXT = lines(ROW)
IDS = f"{HEADER},client_trade_id,cancels,note"


@pytest.fixture
def desk(committed_db: PostgresServer, noon: datetime) -> Desk:
    desk = make_desk()
    make.entitle(desk.outsider, desk.other, book=True)
    return desk


def seen(desk: Desk, text: str, who: str = "trader") -> list[str]:
    """What a preview and an import say of the same bytes before."""
    answer = upload(desk, text, who, dry_run="false")
    told = [e["detail"] for e in answer.json().get("errors", []) if e["code"] == "file_seen"]
    warnings = preview(desk, text, who).json()["warnings"]
    if answer.status_code == 409:
        assert [w["detail"] for w in warnings if w["code"] == "file_seen"] == told
    return told


def test_a_dry_run_is_no_import(desk: Desk) -> None:
    imported(desk, TEXT, dry_run="true")
    assert seen(desk, TEXT) == []
    # That one counts, though nothing of it is booked yet; and a dry run may come after it.
    assert "trader imported this very file" in seen(desk, TEXT)[0]
    assert upload(desk, TEXT, dry_run="true").status_code == 202


def test_an_undone_import_is_none(desk: Desk) -> None:
    job = imported(desk, TEXT)
    assert len(seen(desk, TEXT)) == 1
    body = {"reason": "the wrong file"}
    assert desk.client().post(f"{URL}{job['id']}/undo/", body, format="json").status_code == 202
    work(UUID(job["id"]))
    assert seen(desk, TEXT) == []


def test_an_import_of_which_nothing_was_booked_is_none(desk: Desk) -> None:
    text = lines("NOPE,Test1,buy,1,2")
    imported(desk, text)
    assert seen(desk, text) == []


def test_who_may_not_view_its_accounts_is_not_told(desk: Desk) -> None:
    """The outsider books in Test2 alone; a row of Test1 is refused to them as unknown."""
    imported(desk, TEXT)
    assert seen(desk, TEXT, "outsider") == []
    both = lines(ROW, "IBM,Test2,buy,3,143.5")
    imported(desk, both)
    (told,) = seen(desk, both, "outsider")
    assert "into Test2." in told
    assert "Test1" not in told
    (told,) = seen(desk, both)
    assert "into Test1, Test2." in told


# --- names_booked ---------------------------------------------------------------------------------

CANCEL = lines("IBM,Test2,buy,-10,143.5,b,a,CXL", header=IDS)
CORRECT = lines("IBM,Test2,buy,11,143.5,b,a,COR", header=IDS)
BY_TERMS = lines("IBM,Test2,buy,-10,143.50,,,CXL", header=IDS)
MAPPING = '{"cancels": "cancels"}'


def changed(desk: Desk, text: str, who: str) -> tuple[str, str]:
    """The code and the words of the one row, which preview and import refuse alike."""
    (row,) = preview(desk, text, who, mapping=MAPPING).json()["rows"]
    assert row["trade"] is None
    (error,) = row["errors"]
    if who == "trader":
        job = imported(desk, text, mapping=MAPPING)
        assert job["rows_booked"] == 0
        assert reasons(desk, job["id"])[2].endswith(error["detail"])
    return error["code"], error["detail"]


@pytest.mark.parametrize("text", [CANCEL, CORRECT, BY_TERMS], ids=["cancel", "correct", "terms"])
def test_a_row_that_changes_a_booked_trade_names_it(desk: Desk, text: str) -> None:
    unknown = "corrects_unknown" if text is CORRECT else "cancels_unknown"
    assert changed(desk, text, "trader")[0] == unknown
    imported(desk, lines("IBM,Test2,buy,10,143.5,a,,", header=IDS), mapping=MAPPING)
    trade = Trade.objects.get()
    code, detail = changed(desk, text, "outsider")
    assert code == "names_booked"
    assert str(trade.pk) in detail
    assert "cancel or amend that one" in detail
    assert changed(desk, text, "trader") == (code, detail)
    assert Trade.objects.get().status == "booked"


def test_a_booked_trade_is_named_only_to_who_may_view_its_account(desk: Desk) -> None:
    text = CANCEL.replace("Test2", "Test1")
    imported(desk, lines("IBM,Test1,buy,10,143.5,a,,", header=IDS), mapping=MAPPING)
    code, detail = changed(desk, text, "outsider")
    assert code == "cancels_unknown"
    assert str(Trade.objects.get().pk) not in detail
    assert changed(desk, text, "trader")[0] == "names_booked"


def test_a_cancelled_trade_is_not_named_again(desk: Desk) -> None:
    imported(desk, lines("IBM,Test2,buy,10,143.5,,,", header=IDS), mapping=MAPPING)
    trade: Any = Trade.objects.get()
    client = desk.client()
    body = {"version": 1, "reason": "an error"}
    path = f"/api/v1/trades/{trade.pk}/cancel/"
    assert client.post(path, body, format="json").status_code == 200
    assert changed(desk, BY_TERMS, "trader")[0] == "cancels_unknown"
