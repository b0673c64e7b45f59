"""POST /api/v1/trades/generate/: rows that can be booked as they are."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests import factories as make
from tests.trades.conftest import Desk
from tests.trades.test_booking import nothing_booked, problems

URL = "/api/v1/trades/generate/"


def generate(desk: Desk, who: str = "trader", **body: Any) -> Any:
    return desk.client(who).post(URL, json.dumps(body), content_type="application/json")


@pytest.fixture
def priced(desk: Desk) -> Desk:
    """IBM at 100, AAPL at 0.5, and a name without any price."""
    make.make_close(desk.ibm, date(2026, 3, 17), "100")
    make.make_close(make.make_instrument("AAPL"), date(2026, 3, 17), "0.5")
    make.make_instrument("NEW")
    return desk


def test_what_is_made_up_can_be_booked_in_its_order(priced: Desk) -> None:
    body = generate(priced, accounts=["Test1", "Test4"], count=400).json()
    assert len(body["trades"]) == 400
    assert nothing_booked()
    assert {t["account"] for t in body["trades"]} == {"Test1", "Test4"}
    assert {t["ticker"] for t in body["trades"]} == {"IBM", "AAPL"}
    assert {t["side"] for t in body["trades"]} == {"buy", "sell"}
    for trade in body["trades"]:
        mark = Decimal(100) if trade["ticker"] == "IBM" else Decimal("0.5")
        assert abs(Decimal(trade["price"]) / mark - 1) < Decimal("0.02")
    booked = priced.client().post("/api/v1/trades/bulk/", body, format="json")
    assert booked.status_code == 201, booked.content
    # Holdings count: Test4 may sell what it holds now, and no more.
    again = generate(priced, accounts=["Test4"], count=200).json()
    booked = priced.client().post("/api/v1/trades/bulk/", again, format="json")
    assert booked.status_code == 201, booked.content


def test_the_same_seed_gives_the_same_trades(priced: Desk) -> None:
    asked: dict[str, Any] = {"accounts": ["Test1", "Test2"], "count": 20, "tickers": ["IBM"]}
    first = generate(priced, **asked, seed=42).json()
    assert generate(priced, **asked, seed=42).json() == first
    assert generate(priced, **asked, seed=43).json() != first
    assert generate(priced, **asked).json() != generate(priced, **asked).json()
    assert {t["ticker"] for t in first["trades"]} == {"IBM"}


@pytest.mark.parametrize(
    ("body", "attr"),
    [
        ({"accounts": [], "count": 1}, "accounts"),
        ({"accounts": "Test1", "count": 1}, "accounts"),
        ({"accounts": ["Nope"], "count": 1}, "accounts"),
        ({"count": 1}, "accounts"),
        ({"accounts": ["Test1"]}, "count"),
        ({"accounts": ["Test1"], "count": 0}, "count"),
        ({"accounts": ["Test1"], "count": 10_001}, "count"),
        ({"accounts": ["Test1"], "count": True}, "count"),
        ({"accounts": ["Test1"], "count": "5"}, "count"),
        ({"accounts": ["Test1"], "count": 1.5}, "count"),
        ({"accounts": ["Test1"], "count": 1, "tickers": ["NOPE"]}, "tickers"),
        ({"accounts": ["Test1"], "count": 1, "tickers": ["NEW"]}, "tickers"),
        ({"accounts": ["Test1"], "count": 1, "seed": -1}, "seed"),
        ({"accounts": ["Test1"], "count": 1, "colour": "red"}, "colour"),
    ],
    ids=repr,
)
def test_generating_with_a_bad_value_is_refused_by_field(
    priced: Desk, body: dict[str, Any], attr: str
) -> None:
    answer = generate(priced, **body)
    assert answer.status_code == 400, answer.content
    assert attr in {a for a, _ in problems(answer)}


def test_only_where_one_may_book(priced: Desk) -> None:
    assert generate(priced, "viewer", accounts=["Test1"], count=1).status_code == 403
    hidden = generate(priced, "outsider", accounts=["Test1"], count=1)
    assert problems(hidden) == {("accounts", "unknown_account")}


def test_what_is_inactive_is_not_made_up(priced: Desk) -> None:
    priced.ibm.is_active = False
    priced.ibm.save()
    rows = generate(priced, accounts=["Test1"], count=50).json()["trades"]
    assert {t["ticker"] for t in rows} == {"AAPL"}
    answer = generate(priced, accounts=["Test1"], count=1, tickers=["IBM"])
    assert problems(answer) == {("tickers", "inactive_ticker")}
    priced.account.is_active = False
    priced.account.save()
    answer = generate(priced, accounts=["Test1"], count=1)
    assert problems(answer) == {("accounts", "inactive_account")}
