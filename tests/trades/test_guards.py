"""Guards: what is asked before it is booked, what is refused, and what is kept of it."""

from datetime import timedelta
from typing import Any

import pytest

from kernel.clock import clock_set
from tests import factories as make
from tests.trades.conftest import NOW, Desk
from tests.trades.guarding import (
    BULK,
    TRADES,
    amend,
    book,
    booking,
    cancel,
    confirmed,
    guard,
    marked,
    said,
)
from trades.models import AskedVersion, Trade


@pytest.fixture
def desk(desk: Desk) -> Desk:
    return marked(desk)


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
