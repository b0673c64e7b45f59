"""P&L by account and day in the admin, and as files."""

import csv
import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from kernel.clock import clock_set
from tests import factories as make
from tests.pnl.conftest import MONDAY, TUESDAY, WEDNESDAY, Days, at, settle

URL = "/admin/blotter/pnlday/"
NOW = at(WEDNESDAY) + timedelta(seconds=1)


@pytest.fixture
def book(days: Days) -> Days:
    """Monday is restated, Tuesday is provisional, Wednesday is live."""
    days.trade("10", "40", MONDAY)
    days.trade("1000", "40", MONDAY, account=make.make_account("Test2"))
    days.close(MONDAY, "41.005")
    settle(MONDAY)
    days.keep(at(MONDAY, 21))
    days.trade("1", "40", MONDAY, when=at(TUESDAY))
    days.keep(at(TUESDAY))
    days.close(TUESDAY, "42")
    make.entitle(staff(), days.account)
    return days


def staff() -> Any:
    user = make.make_user("office", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_pnlday"))
    return user


def get(path: str = "", name: str = "office", **query: Any) -> Any:
    client = Client()
    assert client.login(username=name, password="demo")
    with clock_set(NOW):
        answer = client.get(URL + path, query)
        if answer.streaming:
            answer.body = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    return answer


def test_the_state_of_each_day(book: Days) -> None:
    answer = get()
    rows = [(r["session"], r["account"], r["state"], r["total_pnl"], bool(r["restated_at"]))
            for r in answer.context["rows"]]  # fmt: skip
    assert rows == [
        ("2026-03-18", "Test1", "live", "0.00", False),
        ("2026-03-17", "Test1", "provisional", "10.95", False),
        ("2026-03-16", "Test1", "final", "11.06", True),  # 11.055, half up
    ]
    page = answer.content.decode()
    assert "SIMULATED" in page
    assert "Test2" not in page


def test_csv_says_what_it_is_of(book: Days) -> None:
    answer = get("csv/", first="2026-03-16", last="2026-03-16", by="ticker")
    assert 'filename="pnl_ticker_2026-03-16_2026-03-16.csv"' in answer["Content-Disposition"]
    (row,) = csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig")))
    assert row == {
        **row, "session": "2026-03-16", "account": "Test1", "ticker": "IBM",
        "closing_quantity": "11", "mark": "41.005", "total_pnl": "11.055", "state": "final",
        "restated_at": "2026-03-17T15:00:00Z", "known_at": "2026-03-18T15:00:01Z",
        "price_source": "simulated", "mark_price_source": "manual",
    }  # fmt: skip


def test_however_far_back_one_asks(book: Days) -> None:
    shown = [row["session"] for row in get().context["rows"]]
    for first in ("2010-01-04", "1970-01-01"):
        assert [row["session"] for row in get(first=first).context["rows"]] == shown
    assert get(last="1970-01-01").context["rows"] == []
    assert get("csv/", last="1970-01-01").status_code == 200


def test_a_file_says_where_each_mark_came_from(book: Days) -> None:
    """End-of-day P&L stays on the prices that it was calculated from."""
    make.make_quote(book.ibm, "43", at(WEDNESDAY))
    answer = get("csv/", first="2026-03-16", by="ticker")
    rows = csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig")))
    found = [(row["session"], row["mark"], row["mark_price_source"]) for row in rows]
    assert found == [
        ("2026-03-16", "41.005", "manual"), ("2026-03-17", "42", "manual"),
        ("2026-03-18", "43", "simulated"),
    ]  # fmt: skip


def test_the_excel_export_holds_the_figures_as_numbers(book: Days) -> None:
    answer = get("excel/")
    with zipfile.ZipFile(io.BytesIO(answer.body)) as file:
        assert "<v>11.055</v>" in file.read("xl/worksheets/sheet1.xml").decode()


def test_too_many_rows_for_excel_are_told(book: Days, monkeypatch: Any) -> None:
    monkeypatch.setattr("blotter.admin.MAX_EXCEL_ROWS", 1)
    answer = get("excel/")
    assert answer.status_code == 400
    assert b"take the CSV" in answer.content


def test_a_wrong_range_is_told(book: Days) -> None:
    query = {"first": "2026-03-17", "last": "2026-03-16"}
    assert b"before the first day" in get(**query).content
    assert get("csv/", **query).status_code == 400
    assert get("csv/", account="Test2").status_code == 400  # not one of theirs


def test_only_who_may_view_it(book: Days) -> None:
    make.make_user("other", is_staff=True)
    make.make_user("nobody")
    assert get(name="other").status_code == 403
    assert get("csv/", name="other").status_code == 403
    assert get(name="nobody").status_code == 302


@pytest.mark.parametrize("model", ["dailypnl", "restaterequest", "sessionrun"])
def test_what_is_kept_can_be_looked_at_and_not_changed(book: Days, model: str) -> None:
    book.user.is_staff = True
    book.user.save()
    client = Client()
    client.force_login(book.user)
    assert client.get(f"/admin/pnl/{model}/").status_code == 200
    assert client.get(f"/admin/pnl/{model}/add/").status_code == 403
