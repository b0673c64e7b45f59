"""The admin corrects trades by the services and as entitlements say, and there is no way around."""

import csv
import io
import re
import zipfile
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from accounts.models import Entitlement
from tests import factories as make
from tests.trades.conftest import NOW, TODAY, Desk
from trades import exports
from trades.admin import searching
from trades.models import RequestGroup, Trade, TradeVersion

LIST = "/admin/trades/trade/"
MONDAY = date(2026, 3, 16)


@pytest.fixture
def clerk(desk: Desk) -> User:
    """Middle office, not a superuser: corrects in Test1 and Test4, looks at Test2."""
    user = make.make_user("clerk", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_trade"))
    make.entitle(user, desk.account, correct=True)
    make.entitle(user, desk.no_short, correct=True)
    make.entitle(user, desk.other)
    return user


@pytest.fixture
def client(clerk: User) -> Client:
    return login(clerk)


def login(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def trade(desk: Desk) -> Trade:
    return make.make_trade(desk.trader, desk.account, desk.ibm, "10", "2", trade_date=TODAY, at=NOW)


def one(trade: Trade) -> str:
    return f"{LIST}{trade.pk}/change/"


def amendment(trade: Trade, **changes: Any) -> dict[str, Any]:
    terms = {
        "version": trade.version, "account": trade.account.code, "ticker": "IBM",
        "side": trade.side, "quantity": "10", "price": "2", "trade_date": str(trade.trade_date),
        "note": "", "reason": "typo", **changes,
    }  # fmt: skip
    return {"_amend": "Amend", **{f"amend-{name}": value for name, value in terms.items()}}


def cancellation(version: int = 1, reason: str = "twice") -> dict[str, Any]:
    return {"_cancel": "1", "cancel-version": version, "cancel-reason": reason}


def listed(client: Client, **query: str) -> set[str]:
    page = client.get(LIST, query)
    assert page.status_code == 200
    return {str(t.pk) for t in page.context["cl"].result_list}


# --- one trade -----------------------------------------------------------------------------------


def test_an_amendment_goes_through_the_service(client: Client, clerk: User, trade: Trade) -> None:
    answer = client.post(one(trade), amendment(trade, quantity="7", reason="A digit too many"))
    assert (answer.status_code, answer["Location"]) == (302, one(trade))
    first, second = TradeVersion.objects.filter(trade=trade)
    assert (first.quantity, second.quantity) == (10, 7)
    assert (second.version, second.actor, second.reason) == (2, clerk, "A digit too many")
    assert "version 2" in client.get(one(trade)).content.decode()


def test_terms_that_were_not_touched_are_not_checked_again(
    desk: Desk, client: Client, trade: Trade
) -> None:
    """The trade's day may have become none since: its price can be corrected all the same."""
    Trade.objects.filter(pk=trade.pk).update(trade_date=date(2026, 3, 15))
    trade.refresh_from_db()
    assert client.post(one(trade), amendment(trade, price="3")).status_code == 302


def test_a_cancellation_goes_through_the_service(client: Client, trade: Trade) -> None:
    assert client.post(one(trade), cancellation()).status_code == 302
    trade.refresh_from_db()
    assert (trade.status, trade.version) == ("cancelled", 2)
    page = client.get(one(trade)).content.decode()
    assert 'name="_amend"' not in page
    assert 'name="_cancel"' not in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reason": ""}, "This field is required."),
        ({"reason": "   "}, "This field is required."),
        ({"quantity": "1e3"}, "plain decimal"),
        ({"quantity": "1,000"}, "without"),
        ({"quantity": "０"}, "plain decimal"),
        ({"price": "-1"}, "greater than 0"),
        ({"price": "0.0000001"}, "6 decimals"),
        ({"ticker": "NOPE"}, "This ticker is not known."),
        ({"account": "Nope"}, "Select a valid choice"),
        ({"trade_date": "2026-03-19"}, "future"),
        ({"trade_date": "2026-03-15"}, "no session"),
        ({"trade_date": "x"}, "Enter a valid date"),
        ({"note": "a\nb"}, "Control characters"),
        ({"quantity": "10"}, "These are the terms that the trade has already."),
        ({"account": "Test2", "quantity": "9"}, "You may not correct this trade"),
    ],
    ids=repr,
)
def test_what_is_wrong_is_said_where_it_is(
    client: Client, trade: Trade, changes: dict[str, str], said: str
) -> None:
    answer = client.post(one(trade), amendment(trade, **changes))
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert TradeVersion.objects.count() == 1


def test_no_short_is_said_beside_the_quantity(desk: Desk, client: Client) -> None:
    bought, _ = (
        make.make_trade(desk.trader, desk.no_short, desk.ibm, q, "2", trade_date=TODAY, at=NOW)
        for q in ("10", "-6")
    )
    answer = client.post(one(bought), amendment(bought, quantity="5"))
    assert answer.context["amend"].errors["quantity"][0].startswith("Test4 may not go short")
    refused = client.post(one(bought), cancellation())
    assert "Test4 may not go short" in refused.content.decode()
    assert TradeVersion.objects.count() == 2


def test_who_comes_second_is_shown_the_trade_as_it_is_now(client: Client, trade: Trade) -> None:
    client.post(one(trade), amendment(trade, quantity="7"))
    for late in (amendment(trade, quantity="8"), cancellation()):
        page = client.post(one(trade), late, follow=True)
        assert "Nothing was changed" in page.content.decode()
        assert page.context["amend"].initial["quantity"] == "7"
    assert TradeVersion.objects.count() == 2


def test_versions_beneath_with_what_changed_marked(
    desk: Desk, client: Client, trade: Trade
) -> None:
    client.post(one(trade), amendment(trade, quantity="7", price="3"))
    client.post(one(trade), cancellation(2))
    steps = client.get(one(trade)).context["steps"]
    assert [(s.version.version, set(s.changed)) for s in steps] == [
        (3, set()), (2, {"quantity", "price"}), (1, set()),
    ]  # fmt: skip
    page = client.get(one(trade)).content.decode()
    assert len(re.findall(r'class="[a-z ]*changed"', page)) == 2


def test_versions_out_of_sight_are_left_out_and_said_to_be(
    desk: Desk, client: Client, trade: Trade
) -> None:
    boss = login(make.make_user("boss", is_staff=True, is_superuser=True))
    hidden = make.make_account("Hidden")
    boss.post(one(trade), amendment(trade, account="Hidden"))
    assert client.get(one(trade)).status_code == 302  # as if there were none
    Trade.objects.get(pk=trade.pk, account=hidden)
    trade.version, trade.account = 2, hidden
    boss.post(one(trade), amendment(trade, account="Test1"))
    page = client.get(one(trade))
    assert [(s.version.version, s.skipped) for s in page.context["steps"]] == [(3, 1), (1, 0)]
    assert "Hidden" not in page.content.decode()


# --- who may -------------------------------------------------------------------------------------


def test_only_accounts_that_one_may_view_and_only_where_one_may_correct(
    desk: Desk, client: Client, clerk: User, trade: Trade
) -> None:
    elsewhere = make.make_trade(
        desk.trader, desk.other, desk.ibm, "1", "2", trade_date=TODAY, at=NOW
    )
    hidden = make.make_trade(
        desk.trader, make.make_account("Hidden"), desk.ibm, "1", "2", trade_date=TODAY, at=NOW
    )
    assert listed(client) == {str(trade.pk), str(elsewhere.pk)}
    assert listed(client, q=str(hidden.pk)) == set()
    assert client.get(one(hidden)).status_code == 302
    assert client.post(one(hidden), cancellation()).status_code == 302
    page = client.get(one(elsewhere))
    assert page.context["amend"] is None
    assert "not correct it" in page.content.decode()
    client.post(one(elsewhere), cancellation())
    assert TradeVersion.objects.count() == 3
    assert "Hidden" not in client.get(LIST).content.decode()


def test_without_the_permission_to_view_trades_there_is_nothing(desk: Desk, trade: Trade) -> None:
    staff = make.make_user("staff", is_staff=True)
    make.entitle(staff, desk.account, correct=True)
    client = login(staff)
    for path in (LIST, one(trade), f"{LIST}export/csv/", f"{LIST}export/xlsx/"):
        assert client.get(path).status_code == 403
    assert client.post(one(trade), cancellation()).status_code == 403


def test_who_is_no_staff_is_sent_to_the_login(desk: Desk, trade: Trade) -> None:
    client = login(desk.trader)
    for path in (LIST, one(trade), f"{LIST}export/csv/"):
        assert "/admin/login/" in client.get(path)["Location"]


def test_ones_own_trade_of_the_day(desk: Desk) -> None:
    """The right to book is enough for it, in the admin as over REST."""
    desk.trader.is_staff = True
    desk.trader.save()
    desk.trader.user_permissions.add(Permission.objects.get(codename="view_trade"))
    client = login(desk.trader)
    today, old = (
        make.make_trade(desk.trader, desk.account, desk.ibm, "1", "2", trade_date=day, at=NOW)
        for day in (TODAY, MONDAY)
    )
    assert client.get(one(today)).context["amend"] is not None
    assert client.get(one(old)).context["amend"] is None
    assert client.post(one(today), cancellation()).status_code == 302


def test_there_is_no_way_around_the_services(client: Client, trade: Trade) -> None:
    boss = login(make.make_user("boss", is_staff=True, is_superuser=True))
    for who in (client, boss):
        assert who.get(f"{LIST}add/").status_code == 403
        assert who.post(f"{LIST}add/", {"quantity": "1"}).status_code == 403
        assert who.post(f"{LIST}{trade.pk}/delete/", {"post": "yes"}).status_code == 403
        assert who.get("/admin/trades/tradeversion/").status_code == 404
        assert who.get("/admin/trades/ledgerentry/").status_code == 404
        who.post(one(trade), {"quantity": "99", "status": "cancelled", "_save": "Save"})
        who.post(
            LIST, {"action": "delete_selected", "_selected_action": str(trade.pk), "post": "yes"}
        )
        who.post(LIST, {"form-TOTAL_FORMS": "1", "form-0-quantity": "99", "_save": "Save"})
    trade.refresh_from_db()
    assert (trade.quantity, trade.version) == (10, 1)
    assert TradeVersion.objects.count() == 1


# --- many trades ---------------------------------------------------------------------------------


def choose(client: Client, *trades: Trade, **more: str) -> Any:
    ids = [str(t.pk) for t in trades]
    return client.post(LIST, {"action": "cancel_selected", "_selected_action": ids, **more})


def confirm(client: Client, versions: str, reason: str = "Wrong file") -> Any:
    sent = {
        "action": "cancel_selected", "_selected_action": str(uuid4()), "confirm": "1",
        "versions": versions, "reason": reason,
    }  # fmt: skip
    return client.post(LIST, sent)


def test_a_selection_is_cancelled_with_a_reason_and_a_result_for_each(
    desk: Desk, client: Client, trade: Trade
) -> None:
    other = make.make_trade(desk.trader, desk.account, desk.ibm, "5", "2", trade_date=TODAY, at=NOW)
    not_mine = make.make_trade(
        desk.trader, desk.other, desk.ibm, "5", "2", trade_date=TODAY, at=NOW
    )
    asked = choose(client, trade, other, not_mine)
    assert "Cancel 3 trades" in asked.content.decode()
    assert TradeVersion.objects.count() == 3
    versions = asked.context["versions"]
    assert "This field is required." in confirm(client, versions, reason="").content.decode()
    # Somebody amends one of them while the reason is being typed.
    client.post(one(other), amendment(other, quantity="6"))
    done = confirm(client, versions).content.decode()
    assert "1 of 3 trades are cancelled" in done
    assert "The trade is at version 2" in done
    assert "You may not correct this trade in Test2" in done
    statuses = {t.pk: t.status for t in Trade.objects.all()}
    assert statuses == {trade.pk: "cancelled", other.pk: "amended", not_mine.pk: "booked"}
    assert TradeVersion.objects.get(trade=trade, version=2).reason == "Wrong file"


def test_only_the_trades_that_were_shown_are_cancelled(
    desk: Desk, client: Client, trade: Trade
) -> None:
    asked = choose(client, trade, select_across="1")
    make.make_trade(desk.trader, desk.account, desk.ibm, "5", "2", trade_date=TODAY, at=NOW)
    confirm(client, asked.context["versions"])
    assert Trade.objects.filter(status="cancelled").count() == 1


def test_a_buy_and_its_sell_go_together_where_no_short_is_allowed(
    desk: Desk, client: Client
) -> None:
    both = [
        make.make_trade(desk.trader, desk.no_short, desk.ibm, q, "2", trade_date=TODAY, at=NOW)
        for q in ("10", "-10")
    ]
    asked = choose(client, *both)
    assert (
        "2 of 2 trades are cancelled" in confirm(client, asked.context["versions"]).content.decode()
    )


NO_TRADE = "01a20994-7003-72b3-adae-4f3ac809a58f"


@pytest.mark.parametrize("versions", ["", "x", "x:1", f"{NO_TRADE}:1", f"{NO_TRADE}:x", ":"])
def test_a_confirmation_that_names_nothing_cancels_nothing(
    client: Client, trade: Trade, versions: str
) -> None:
    assert confirm(client, versions).status_code == 200
    assert not Trade.objects.filter(status="cancelled").exists()


# --- searching -----------------------------------------------------------------------------------


@pytest.fixture
def many(desk: Desk, clerk: User) -> dict[str, Trade]:
    xom = make.make_instrument("XOM")
    group = RequestGroup.objects.create(id=uuid4(), user=desk.trader, terms_hash="")

    def made(user: User, account: Any, instrument: Any, day: date, **fields: Any) -> Trade:
        trade = make.make_trade(user, account, instrument, "1", "2", trade_date=day, at=NOW)
        Trade.objects.filter(pk=trade.pk).update(**fields)
        return trade

    return {
        "a": made(desk.trader, desk.account, desk.ibm, TODAY),
        "b": made(desk.trader, desk.account, xom, MONDAY),
        "c": made(clerk, desk.other, desk.ibm, MONDAY),
        "d": made(clerk, desk.account, desk.ibm, TODAY, request_group=group),
        "e": made(desk.trader, desk.no_short, xom, TODAY, status="cancelled", version=2),
    }


SEARCHES: list[tuple[dict[str, str], str]] = [
    ({}, "abcde"),
    ({"q": "Test1"}, "abd"),
    ({"q": "test1 ibm"}, "ad"),
    ({"q": "XOM IBM"}, "abcde"),
    ({"q": "trader"}, "abe"),
    ({"q": "user:clerk Test2"}, "c"),
    ({"q": "2026-03-16"}, "bc"),
    ({"q": "2026-03-17..2026-03-18 IBM"}, "ad"),
    ({"q": "date:2026-03-16 account:Test1"}, "b"),
    ({"q": "2026-13-45"}, ""),
    ({"q": "nothing"}, ""),
    ({"q": "Test1 nothing"}, ""),
    ({"q": "trader clerk"}, ""),
    ({"q": "user:"}, ""),
    ({"account": "Test1", "q": "Test2"}, ""),
    ({"account": "Nope"}, ""),
    ({"account": "Test2"}, "c"),
    ({"status": "live"}, "abcd"),
    ({"status": "cancelled"}, "e"),
    ({"traded": "1"}, "ade"),
    ({"traded": "5"}, "abcde"),
]


def test_search(client: Client, many: dict[str, Trade]) -> None:
    for query, expected in SEARCHES:
        assert listed(client, **query) == {str(many[name].pk) for name in expected}, query


@pytest.mark.parametrize(
    "query",
    [{"traded": "²"}, {"traded": "5" * 5000}, {"traded": "05000000"}, {"traded": "-1"},
     {"q": "\x00"}, {"q": "user:\x00"}, {"status": "\x00"}, {"account": "\x00"}],
    ids=lambda query: repr(query)[:30],
)  # fmt: skip
def test_parameters_that_were_typed(client: Client, trade: Trade, query: dict[str, str]) -> None:
    for path in ("", "export/csv/", "export/xlsx/"):
        answer: Any = client.get(LIST + path, query)
        assert answer.status_code == 200, (path, query)
        if answer.streaming:
            assert b"".join(answer.streaming_content)


def test_search_by_id_group_and_the_callers_id(
    desk: Desk, client: Client, many: dict[str, Trade]
) -> None:
    grouped = Trade.objects.get(pk=many["d"].pk)
    assert listed(client, q=str(grouped.pk)) == {str(grouped.pk)}
    assert listed(client, q=f"group:{grouped.request_group_id}") == {str(grouped.pk)}
    assert listed(client, q=f"{grouped.request_group_id} Test2") == set()
    body = {
        "account": "Test1", "ticker": "IBM", "side": "buy", "quantity": "1", "price": "1",
        "client_trade_id": "desk-7",
    }  # fmt: skip
    booked = desk.client().post("/api/v1/trades/", body, format="json").json()
    assert listed(client, q="desk-7") == {booked["id"]}


def test_a_long_list_says_that_there_is_more(
    client: Client, many: dict[str, Trade], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MAX_LISTED", 3)
    monkeypatch.setattr("trades.admin.trades.MAX_LISTED", 3)
    page = client.get(LIST)
    assert [str(t.pk) for t in page.context["cl"].result_list] == [
        str(many[name].pk) for name in "edc"
    ]
    assert "The newest 3 trades that fit are listed." in page.content.decode()


# --- exports -------------------------------------------------------------------------------------


def csv_of(client: Client, **query: str) -> list[dict[str, str]]:
    answer = client.get(f"{LIST}export/csv/", query)
    assert answer.status_code == 200
    assert re.search(r'filename="trades-\d+-\d+\.csv"', answer["Content-Disposition"])
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text, newline="")))


def excel_of(client: Client, **query: str) -> list[dict[str, tuple[str, str]]]:
    """The rows of the sheet: by column, type and text of each cell that there is."""
    answer = client.get(f"{LIST}export/xlsx/", query)
    assert answer.status_code == 200, answer.content
    book = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))  # type: ignore[attr-defined]
    sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314
    space = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    assert sheet.find(".//m:f", space) is None, "there is a formula"
    rows = []
    for row in sheet.findall(".//m:row", space):
        cells = {
            exports.COLUMNS[ord(c.get("r", "")[0]) - ord("A")]: (
                c.get("t", "n"),
                "".join(c.itertext()),
            )
            for c in row.findall("m:c", space)
        }
        rows.append(cells)
    return rows


def test_the_filtered_list_as_csv(
    client: Client, many: dict[str, Trade], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trades.admin.trades.EXPORT_CHUNK", 2)
    rows = csv_of(client)
    assert [r["id"] for r in rows] == [str(many[name].pk) for name in "edcba"]
    assert list(rows[0]) == list(exports.COLUMNS)
    assert (rows[4]["quantity"], rows[4]["price"], rows[4]["trade_date"]) == (
        "1",
        "2",
        "2026-03-18",
    )
    assert [r["id"] for r in csv_of(client, q="Test1 IBM", status="live")] == [
        str(many[name].pk) for name in "da"
    ]
    assert [r["id"] for r in csv_of(client, q=str(many["a"].pk))] == [str(many["a"].pk)]


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "－1"]


@pytest.mark.parametrize("note", FORMULAS)
def test_no_text_becomes_a_formula(client: Client, trade: Trade, note: str) -> None:
    Trade.objects.filter(pk=trade.pk).update(note=note, client_trade_id=note)
    (row,) = csv_of(client)
    assert (row["note"], row["client_trade_id"]) == (f"'{note}", f"'{note}")
    cells = excel_of(client)[1]
    assert cells["note"] == ("inlineStr", note)


def test_quotes_commas_and_lines_stay_in_their_cell(client: Client, trade: Trade) -> None:
    Trade.objects.filter(pk=trade.pk).update(note='a "b", c; ü 漢')
    assert csv_of(client)[0]["note"] == 'a "b", c; ü 漢'


def test_numbers_in_excel_are_exact_or_text(desk: Desk, client: Client, trade: Trade) -> None:
    make.make_close(desk.ibm, date(2026, 3, 17), "1.5")
    Trade.objects.filter(pk=trade.pk).update(
        quantity=Decimal("999999999.123456"), price=Decimal("1000000000")
    )
    cells = excel_of(client)[1]
    assert cells["quantity"] == ("n", "999999999.123456")
    assert cells["price"] == ("n", "1000000000")
    # (1.5 − 1,000,000,000) × 999,999,999.123456 has more digits than a double keeps.
    assert cells["trade_pnl"][0] == "inlineStr"
    exact = (Decimal("1.5") - 10**9) * Decimal("999999999.123456")
    assert Decimal(cells["trade_pnl"][1]) == exact


def test_excel_is_refused_where_it_would_be_too_long(
    client: Client, many: dict[str, Trade], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "MAX_EXCEL_ROWS", 5)
    assert len(excel_of(client)) == 6
    monkeypatch.setattr(exports, "MAX_EXCEL_ROWS", 4)
    page = client.get(f"{LIST}export/xlsx/", {"status": ""}, follow=True)
    assert "narrow the search, or take the CSV" in page.content.decode()


def test_exports_hold_only_what_one_may_view(desk: Desk, client: Client, clerk: User) -> None:
    for account in (desk.account, make.make_account("Hidden")):
        make.make_trade(desk.trader, account, desk.ibm, "1", "2", trade_date=TODAY, at=NOW)
    assert {r["account"] for r in csv_of(client)} == {"Test1"}
    Entitlement.objects.filter(user=clerk).delete()
    assert csv_of(client) == []
