"""Free and worthless shares: a price of 0 is booked where it is said to be meant, and why."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from tests import factories as make
from tests.trades.admin.conftest import amendment, login, one
from tests.trades.conftest import NOW, TODAY, Desk
from tests.trades.importing import HEADER, ROW, counts, imported, lines, rejected
from tests.trades.test_booking import URL, book, nothing_booked, problems
from trades.ledger.verify import ledger_breaks
from trades.models import LedgerEntry, Trade, TradeVersion

FREE: dict[str, Any] = {"price": "0", "price_zero": True, "note": "Free shares"}


def amend(desk: Desk, trade: Any, **changes: Any) -> Any:
    body = {"version": 1, "reason": "typo", **changes}
    return desk.client().patch(
        f"{URL}{trade['id']}/", json.dumps(body), content_type="application/json"
    )


def test_shares_are_given_away_where_that_is_said(desk: Desk) -> None:
    answer = book(desk, quantity="2", **FREE)
    assert answer.status_code == 201, answer.content
    assert (answer.json()["price"], answer.json()["note"]) == ("0", "Free shares")
    assert "price_zero" not in answer.json()
    entry = LedgerEntry.objects.get()
    assert (entry.quantity, entry.notional) == (2, 0)
    assert TradeVersion.objects.get().price == 0
    worthless = book(desk, side="sell", quantity="2", **{**FREE, "price": 0})
    assert worthless.status_code == 201
    assert desk.client().get(f"{URL}{worthless.json()['id']}/").json()["price"] == "0"


def test_against_the_previous_close_all_is_gained_or_lost(desk: Desk) -> None:
    make.make_close(desk.ibm, date(2026, 3, 17), "140")
    assert book(desk, quantity="2", **FREE).json()["trade_pnl"] == "280"
    assert book(desk, side="sell", quantity="2", **FREE).json()["trade_pnl"] == "-280"


REFUSED: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"price": "0"}, [("price", "price_zero")]),
    ({"price": "0.000"}, [("price", "price_zero")]),
    ({"price": "0", "note": "Free"}, [("price", "price_zero")]),
    ({"price": "0", "note": "Free", "price_zero": False}, [("price", "price_zero")]),
    ({"price": "0", "note": "Free", "price_zero": None}, [("price", "price_zero")]),
    ({"price": "0", "price_zero": True}, [("note", "price_zero")]),
    ({"price": "0", "note": "  ", "price_zero": True}, [("note", "price_zero")]),
    ({"price": "1", "note": "Free", "price_zero": True}, [("price_zero", "price_zero")]),
    ({"price": "-0", "note": "Free", "price_zero": True}, [("price", "not_positive")]),
    ({"price": "-1", "note": "Free", "price_zero": True}, [("price", "not_positive")]),
    ({"price": -(10**30), "note": "Free", "price_zero": True}, [("price", "not_positive")]),
    ({"price": "", "note": "Free", "price_zero": True}, [("price", "not_decimal")]),
    ({**FREE, "price_zero": "true"}, [("price_zero", "invalid"), ("price", "price_zero")]),
    ({**FREE, "price_zero": 1}, [("price_zero", "invalid"), ("price", "price_zero")]),
    ({**FREE, "quantity": "0"}, [("quantity", "not_positive")]),
]


@pytest.mark.parametrize(("changes", "said"), REFUSED, ids=repr)
def test_an_accident_is_refused_alike_alone_and_in_bulk(
    desk: Desk, changes: dict[str, Any], said: list[tuple[str, str]]
) -> None:
    answer = book(desk, **changes)
    assert answer.status_code == 400, answer.content
    assert problems(answer) == set(said)
    row = {"account": "Test1", "ticker": "IBM", "side": "buy", "quantity": "10", **changes}
    many = desk.client().post(f"{URL}bulk/", {"trades": [row]}, format="json")
    assert problems(many) == {(f"trades.0.{attr}", code) for attr, code in said}
    assert nothing_booked()


def test_a_retry_finds_it(desk: Desk) -> None:
    first = book(desk, client_trade_id="x", **FREE)
    again = book(desk, client_trade_id="x", **{**FREE, "price": "0.00"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert book(desk, client_trade_id="x", price="1", note="Free shares").status_code == 409


def test_a_file_says_it_in_a_column(desk: Desk) -> None:
    text = lines(
        "IBM,Test1,buy,2,0,TRUE,Free shares",
        "IBM,Test1,sell,2,0.0,yes,Worthless",
        "IBM,Test1,buy,10,143.5,,",
        "IBM,Test1,buy,10,143.5,false,",
        "IBM,Test1,buy,2,0,,Free shares",
        "IBM,Test1,buy,2,0,1,",
        "IBM,Test1,buy,2,0,perhaps,Free shares",
        "IBM,Test1,buy,2,5,true,Free shares",
        header=f"{HEADER},Price Zero,note",
    )
    job = imported(desk, text)
    assert counts(job) == ("done", 8, 4, 4)
    prices = sorted(Trade.objects.values_list("price", flat=True))
    assert prices == [0, 0, Decimal("143.5"), Decimal("143.5")]
    said = [(int(line), reason) for line, reason, *_ in rejected(desk, job["id"])[1:]]
    assert [line for line, _ in said] == [6, 7, 8, 9]
    for (_, reason), word in zip(
        said, ["say price_zero", "note: Say why", "true or false", "is not 0"], strict=True
    ):
        assert word in reason
    assert counts(imported(desk, lines("IBM,Test1,buy,2,0", ROW))) == ("done", 2, 1, 1)


def test_it_is_amended_to_0_and_from_0(desk: Desk) -> None:
    trade = book(desk).json()
    assert problems(amend(desk, trade, price="0")) == {("price", "price_zero")}
    assert problems(amend(desk, trade, price="0", note="Free")) == {("price", "price_zero")}
    assert problems(amend(desk, trade, quantity="7", price_zero=True)) == {
        ("price_zero", "price_zero")
    }
    answer = amend(desk, trade, **FREE)
    assert answer.status_code == 200, answer.content
    assert answer.json()["price"] == "0"
    # What was said once need not be said with each correction; the note stays.
    assert problems(amend(desk, trade, version=2, note="")) == {("note", "price_zero")}
    assert amend(desk, trade, version=2, quantity="7").status_code == 200
    assert amend(desk, trade, version=3, price="0", note="Still free").status_code == 200
    assert amend(desk, trade, version=4, price="5", note="").json()["price"] == "5"
    entries = LedgerEntry.objects.values_list("quantity", "notional")
    assert sum(notional for _, notional in entries) == 35
    assert ledger_breaks() == []


def test_it_is_amended_in_the_admin(desk: Desk) -> None:
    user = make.make_user("boss", is_staff=True, is_superuser=True)
    client: Client = login(user)
    trade = make.make_trade(
        desk.trader, desk.account, desk.ibm, "10", "2", trade_date=TODAY, at=NOW
    )
    page = client.post(one(trade), amendment(trade, price="0", note="Free"))
    assert "say price_zero" in page.content.decode()
    page = client.post(one(trade), amendment(trade, price="0", price_zero="on"))
    assert "Say why the price is 0." in page.content.decode()
    done = client.post(one(trade), amendment(trade, price="0", price_zero="on", note="Free"))
    assert done.status_code == 302
    trade.refresh_from_db()
    assert (trade.price, trade.note, trade.version) == (0, "Free", 2)
    assert client.post(
        one(trade), amendment(trade, price="0", quantity="3", note="Free")
    ).status_code == 302  # fmt: skip
