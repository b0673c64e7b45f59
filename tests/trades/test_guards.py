"""Guards: what is asked before it is booked, what is refused, and what is kept of it."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from kernel.clock import clock_set
from kernel.models import Confirmation
from tests import factories as make
from tests.trades.conftest import NOW, Desk
from trades.models import AskedVersion, Guard, GuardVersion, LedgerEntry, Trade, TradeVersion

GUARDS, TRADES, BULK = "/api/v1/guards/", "/api/v1/trades/", "/api/v1/trades/bulk/"
YESTERDAY = date(2026, 3, 17)


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """The mark of IBM is 192.81."""
    make.make_close(desk.ibm, YESTERDAY, "195.61")
    make.make_quote(desk.ibm, "192.81", NOW)
    return desk


def put(rows: Any, who: Any = None) -> Any:
    boss = who or make.make_user(f"boss{User.objects.count()}", is_superuser=True)
    return make.client_of(boss).put(GUARDS, rows, format="json")


def guard(code: str, account: str | None = "Test1", **levels: Any) -> None:
    answer = put([{"account": account, "code": code, **levels}])
    assert answer.status_code == 200, answer.content


def booking(price: str = "192.81", **changes: Any) -> dict[str, Any]:
    terms = {"account": "Test1", "ticker": "IBM", "side": "buy", "quantity": "10", "price": price}
    return {**terms, **changes}


def book(desk: Desk, price: str = "192.81", **changes: Any) -> Any:
    return desk.client().post(TRADES, booking(price, **changes), format="json")


def said(answer: Any) -> list[str]:
    return [e["code"] for e in answer.json()["errors"]]


def confirmed(desk: Desk, answer: Any, price: str = "192.81", **changes: Any) -> Any:
    assert answer.status_code == 409, answer.content
    return book(desk, price, confirm=answer.json()["confirm"], **changes)


# --- the examples --------------------------------------------------------------------------------


def test_a_price_off_the_mark(desk: Desk) -> None:
    guard("off_mark", warn="3", refuse="50")
    assert book(desk, "198.59").status_code == 201
    asked = book(desk, "198.60")
    assert asked.status_code == 409
    assert asked.json()["type"] == "confirmation_required"
    assert asked.json()["errors"] == [
        {
            "code": "off_mark",
            "detail": "The price is 3.003% above the mark, 192.81.",
            "attr": "price",
        }
    ]
    assert Trade.objects.count() == 1
    done = confirmed(desk, asked, "198.60")
    assert done.status_code == 201
    refused = book(desk, "1928.10")
    assert (refused.status_code, said(refused)) == (400, ["off_mark"])
    assert "900% above" in refused.json()["errors"][0]["detail"]
    kept = AskedVersion.objects.get()
    assert (str(kept.trade_id), kept.version) == (done.json()["id"], 1)
    assert kept.confirmed_by == desk.trader
    assert [(f["code"], f["value"], f["limit"]) for f in kept.found] == [
        ("off_mark", "3.002956", "3")
    ]
    versions = desk.client().get(f"{TRADES}{done.json()['id']}/versions/").json()["results"]
    assert versions[0]["confirmed_by"] == "trader"
    assert versions[0]["asked"] == kept.found


def test_nothing_is_asked_until_somebody_sets_a_guard(desk: Desk) -> None:
    assert book(desk, "1928.10", quantity="10000000").status_code == 201
    assert not AskedVersion.objects.exists()


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]] = {
    "large_quantity": ({"warn": "1000"}, {"quantity": "1000.5"}, [{"quantity": "1000"}]),
    "large_notional": ({"warn": "19281"}, {"quantity": "100.01"}, [{"quantity": "100"}]),
    "late": ({}, {"trade_date": "2026-03-17", "price": "195.61"}, [{}]),
    "off_mark": (
        {"warn": "1"},
        {"trade_date": "2026-03-17", "price": "192.81"},
        [{"trade_date": "2026-03-17", "price": "195.61"}, {"price": "192.81"}],
    ),
}


@pytest.mark.parametrize("code", CASES)
def test_strictly_more_asks(desk: Desk, code: str) -> None:
    levels, asks, books = CASES[code]
    guard(code, **levels)
    for changes in books:
        assert book(desk, **changes).status_code == 201
    answer = book(desk, **asks)
    assert (answer.status_code, said(answer)) == (409, [code])
    assert confirmed(desk, answer, **asks).status_code == 201


def test_times_what_is_held_and_a_change_of_sign(desk: Desk) -> None:
    guard("of_position", warn="3")
    guard("flips")
    assert book(desk, quantity="330").status_code == 201
    assert book(desk, quantity="990").status_code == 201
    answer = book(desk, quantity="10000000", side="sell")
    assert said(answer) == ["of_position", "flips"]
    assert answer.json()["errors"][1]["detail"] == "IBM would go from 1,320 to -9,998,680."
    # What only takes away of what is held is asked about and never refused.
    guard("of_position", warn="0", refuse="0")
    assert said(book(desk, quantity="1320", side="sell")) == ["of_position"]
    assert book(desk, quantity="1320", side="sell").status_code == 409
    assert book(desk, quantity="1320.5", side="sell").status_code == 400


def test_a_reduction_is_asked_about_and_not_refused(desk: Desk) -> None:
    assert book(desk, quantity="100").status_code == 201
    guard("off_mark", warn="3", refuse="50")
    for quantity, status in (("100", 409), ("40", 409), ("101", 400)):
        answer = book(desk, "1928.10", quantity=quantity, side="sell")
        assert (answer.status_code, said(answer)) == (status, ["off_mark"])
    assert book(desk, "1928.10").status_code == 400
    assert amend(desk, str(Trade.objects.get().pk), price="1928.10").status_code == 400


def test_the_same_again_within_minutes(desk: Desk) -> None:
    guard("probable_duplicate", minutes=5)
    assert book(desk).status_code == 201
    assert said(book(desk)) == ["probable_duplicate"]
    for other in ({"quantity": "11"}, {"side": "sell"}, {"client_trade_id": "mine"}):
        assert book(desk, **other).status_code == 201
    # The page's own ids differ each time the same order is typed.
    assert said(book(desk, client_trade_id="web-0123")) == ["probable_duplicate"]
    with clock_set(NOW + timedelta(minutes=5, seconds=1)):
        assert book(desk).status_code == 201
    rows = [booking(quantity="77")] * 3
    # Rows of the same batch are not looked at.
    answer = desk.client().post(BULK, {"trades": rows}, format="json")
    assert answer.status_code == 201, answer.content


def test_no_mark_and_an_old_one(desk: Desk) -> None:
    guard("no_mark")
    guard("stale_mark")
    make.make_instrument("AAPL")
    assert said(book(desk, ticker="AAPL")) == ["no_mark"]
    assert book(desk).status_code == 201
    with clock_set(NOW + timedelta(minutes=30)):
        assert said(book(desk)) == ["stale_mark"]


def test_own_guards_count_before_those_of_all(desk: Desk) -> None:
    guard("large_quantity", account=None, warn="5")
    assert book(desk).status_code == 409
    guard("large_quantity", account="Test1", is_active=False, warn="5")
    assert book(desk).status_code == 201
    assert book(desk, account="Test2").status_code == 409


# --- the token -----------------------------------------------------------------------------------

OTHERS: dict[str, dict[str, Any]] = {
    "quantity": {"quantity": "11"}, "price": {"price": "198.61"}, "side": {"side": "sell"},
    "note": {"note": "x"}, "account": {"account": "Test2"}, "id": {"client_trade_id": "x"},
}  # fmt: skip


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_another_term_is_a_new_question(desk: Desk, other: dict[str, Any]) -> None:
    guard("off_mark", account=None, warn="3")
    token = book(desk, "198.60").json()["confirm"]
    assert book(desk, **{"price": "198.60", **other, "confirm": token}).status_code == 409
    # A mismatch does not spend it.
    assert book(desk, "198.60", confirm=token).status_code == 201
    again = book(desk, "198.60", confirm=token)
    assert again.status_code == 409
    assert again.json()["confirm"] != token


def test_another_user_and_a_later_time_are_new_questions(desk: Desk) -> None:
    guard("off_mark", warn="3")
    asked = book(desk, "198.60").json()
    make.entitle(desk.outsider, desk.account, book=True)
    given = booking("198.60", confirm=asked["confirm"])
    assert desk.client("outsider").post(TRADES, given, format="json").status_code == 409
    with clock_set(NOW + timedelta(minutes=5, seconds=1)):
        assert book(desk, "198.60", confirm=asked["confirm"]).status_code == 409
    with clock_set(NOW + timedelta(minutes=5)):
        assert book(desk, "198.60", confirm=asked["confirm"]).status_code == 201
    assert Confirmation.objects.get().codes == ["off_mark"]


def test_more_codes_are_a_new_question(desk: Desk) -> None:
    guard("off_mark", warn="3")
    token = book(desk, "198.60").json()["confirm"]
    guard("large_quantity", warn="1")
    assert said(book(desk, "198.60", confirm=token)) == ["off_mark", "large_quantity"]


def test_a_repeated_id_answers_before_any_guard(desk: Desk) -> None:
    first = book(desk, "198.60", client_trade_id="x")
    guard("off_mark", warn="3", refuse="3")
    again = book(desk, "198.60", client_trade_id="x", confirm="whatever")
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])


@pytest.mark.parametrize("confirm", [1, "", " ", "\u0000", "x" * 1001, ["x"]])
def test_what_is_no_token_is_said(desk: Desk, confirm: Any) -> None:
    answer = book(desk, confirm=confirm)
    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "confirm")
    assert book(desk, confirm=None).status_code == 201


# --- many at once --------------------------------------------------------------------------------


def test_one_token_for_all_rows_which_are_named(desk: Desk) -> None:
    guard("off_mark", warn="3", refuse="50")
    rows = [booking(), booking("198.60"), booking(), booking("200")]
    answer = desk.client().post(BULK, {"trades": rows}, format="json")
    assert answer.status_code == 409
    named = [(e["code"], e["attr"]) for e in answer.json()["errors"]]
    assert named == [("off_mark", "trades.1.price"), ("off_mark", "trades.3.price")]
    sent = {"trades": rows, "confirm": answer.json()["confirm"]}
    assert desk.client().post(BULK, sent, format="json").status_code == 201
    assert AskedVersion.objects.count() == 2
    assert desk.client().post(BULK, sent, format="json").status_code == 409
    refused = desk.client().post(BULK, {"trades": [*rows, booking("1928.1")]}, format="json")
    assert refused.status_code == 400
    assert [e["attr"] for e in refused.json()["errors"]] == ["trades.4.price"]
    assert Trade.objects.count() == 4


def test_rows_count_in_order(desk: Desk) -> None:
    guard("flips")
    rows = [booking(), booking(side="sell", quantity="5"), booking(side="sell", quantity="6")]
    answer = desk.client().post(BULK, {"trades": rows}, format="json")
    assert [e["attr"] for e in answer.json()["errors"]] == ["trades.2.side"]


# --- corrections ---------------------------------------------------------------------------------


def amend(desk: Desk, trade: str, version: int = 1, **terms: Any) -> Any:
    body = {"version": version, "reason": "x", **terms}
    return desk.client().patch(f"{TRADES}{trade}/", body, format="json")


def cancel(desk: Desk, trade: str, version: int = 1, **more: Any) -> Any:
    body = {"version": version, "reason": "x", **more}
    return desk.client().post(f"{TRADES}{trade}/cancel/", body, format="json")


def test_an_amendment_asks_the_same_way(desk: Desk) -> None:
    trade = book(desk).json()["id"]
    guard("off_mark", warn="3", refuse="50")
    asked = amend(desk, trade, price="198.60")
    assert (asked.status_code, said(asked)) == (409, ["off_mark"])
    assert said(amend(desk, trade, price="1928.1")) == ["off_mark"]
    assert amend(desk, trade, price="1928.1").status_code == 400
    token = asked.json()["confirm"]
    assert amend(desk, trade, price="198.61", confirm=token).status_code == 409
    assert amend(desk, trade, price="198.60", confirm=token).status_code == 200
    assert AskedVersion.objects.get().version == 2
    # A note moves nothing in the ledger.
    assert amend(desk, trade, 2, note="by telephone").status_code == 200


def test_what_takes_back_is_never_refused(desk: Desk) -> None:
    trade = book(desk, "1928.10", quantity="10000000").json()["id"]
    guard("off_mark", warn="3", refuse="50")
    guard("large_quantity", warn="1000", refuse="5000")
    guard("no_mark")
    smaller = amend(desk, trade, quantity="9000000")
    assert (smaller.status_code, said(smaller)) == (409, ["off_mark", "large_quantity"])
    asked = cancel(desk, trade)
    assert (asked.status_code, said(asked)) == (409, ["off_mark", "large_quantity"])
    assert cancel(desk, trade, confirm=asked.json()["confirm"]).status_code == 200
    assert Trade.objects.get().status == "cancelled"
    assert AskedVersion.objects.get().version == 2


def test_an_amendment_is_not_its_own_duplicate(desk: Desk) -> None:
    guard("probable_duplicate")
    trade = book(desk).json()["id"]
    assert amend(desk, trade, trade_date="2026-03-17").status_code == 200


# --- setting them --------------------------------------------------------------------------------


def test_who_may_set_them(desk: Desk) -> None:
    rows = [{"account": "Test1", "code": "late"}]
    assert put(rows, desk.trader).status_code == 403
    assert put(rows).status_code == 200


def test_each_change_is_a_version(desk: Desk) -> None:
    guard("off_mark", warn="3", refuse="50")
    guard("off_mark", warn="3.0", refuse="50")
    guard("off_mark", warn="5", refuse="50")
    found = desk.client().get(GUARDS).json()["results"]
    assert [(g["account"], g["code"], g["warn"], g["version"]) for g in found] == [
        ("Test1", "off_mark", "5", 2)
    ]
    assert [v.warn for v in GuardVersion.objects.order_by("version")] == [3, 5]


WRONG: dict[str, tuple[Any, str, str]] = {
    "unknown account": ({"account": "No", "code": "late"}, "unknown_account", "0.account"),
    "unknown code": ({"code": "x"}, "invalid_choice", "0.code"),
    "negative": ({"code": "off_mark", "warn": "-1"}, "negative", "0.warn"),
    "no number": ({"code": "off_mark", "warn": "NaN"}, "not_decimal", "0.warn"),
    "refuse first": ({"code": "off_mark", "warn": "5", "refuse": "3"}, "below_warn", "0.refuse"),
    "minutes": ({"code": "late", "minutes": 5}, "no_minutes", "0.minutes"),
    "unknown field": ({"code": "late", "x": 1}, "unknown_field", "0.x"),
}


@pytest.mark.parametrize(("row", "code", "attr"), WRONG.values(), ids=WRONG)
def test_what_is_no_guard_is_refused(desk: Desk, row: Any, code: str, attr: str) -> None:
    answer = put([row])
    problems = [(e["code"], e["attr"]) for e in answer.json()["errors"]]
    assert (answer.status_code, problems) == (400, [(code, attr)])
    assert not Guard.objects.exists()


def test_an_account_knows_whether_guards_hold(desk: Desk) -> None:
    def version() -> int:
        return Account.objects.get(code="Test1").guards_version

    assert version() == 0
    guard("late")
    first = version()
    assert first > 0
    guard("flips", account=None)
    assert version() > first
    # Whoever saves the account, from before or after: the database says.
    desk.account.name = "Renamed"
    desk.account.save()
    assert version() > 0
    guard("late", is_active=False)
    guard("flips", account=None, is_active=False)
    assert version() == 0
    guard("flips", account=None)
    make.make_account("New")
    assert Account.objects.get(code="New").guards_version > 0


# --- what it costs -------------------------------------------------------------------------------


def statements(desk: Desk, **changes: Any) -> list[str]:
    client = desk.client()
    with CaptureQueriesContext(connection) as found:
        assert client.post(TRADES, booking(**changes), format="json").status_code == 201
    return [q["sql"] for q in found]


def test_one_more_statement_and_none_without_guards(desk: Desk) -> None:
    book(desk)
    before = statements(desk)
    for code, level in (("off_mark", "3"), ("of_position", "9"), ("large_notional", "1000000")):
        guard(code, account="Test2", warn=level)
    assert len(statements(desk)) == len(before)
    for code, level in (("off_mark", "3"), ("of_position", "9"), ("large_notional", "1000000")):
        guard(code, account="Test1", warn=level)
    assert len(statements(desk)) == len(before) + 1


def test_what_no_guard_looks_at_is_not_read(desk: Desk) -> None:
    """This process knows the guards by then, and a change of them."""
    book(desk)
    before = len(statements(desk))
    guard("large_quantity", warn="1000")
    assert len(statements(desk)) == before + 1
    assert len(statements(desk)) == before
    guard("large_quantity", warn="5")
    assert book(desk).status_code == 409
    guard("large_quantity", warn="1000")
    guard("flips")
    assert len(statements(desk)) == before + 1
    (asked,) = [sql for sql in statements(desk) if "SELECT 'held'" in sql]
    assert "prices_quote" not in asked
    assert "trades_guard" not in asked


def test_guards_change_no_number(desk: Desk) -> None:
    def rows() -> list[tuple[Any, ...]]:
        return list(
            LedgerEntry.objects.order_by("id").values_list("quantity", "notional", "trades")
        ) + list(TradeVersion.objects.order_by("trade_id").values_list("quantity", "price", "note"))

    sent = [("198.60", "10"), ("192.81", "7.5"), ("100", "3")]
    for price, quantity in sent:
        assert book(desk, price, quantity=quantity).status_code == 201
    without = rows()
    guard("off_mark", warn="1")
    for price, quantity in sent:
        answer = book(desk, price, quantity=quantity)
        if answer.status_code == 409:
            answer = confirmed(desk, answer, price, quantity=quantity)
        assert answer.status_code == 201
    both = rows()
    entries = len(sent)
    assert both[:entries] == both[entries : 2 * entries] == without[:entries]


def test_a_free_share_is_not_off_its_mark(desk: Desk) -> None:
    guard("off_mark", warn="3", refuse="50")
    assert book(desk, "0", price_zero=True, note="spin-off").status_code == 201
