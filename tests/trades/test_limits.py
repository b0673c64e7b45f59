"""Limits over the live rows: measured, warned of, breached, and what refuses."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from pnl.activity.projection import ACTIVITY
from pnl.limits import limits_watch
from prices.models import Quote
from tests import factories as make
from tests.trades.conftest import NOW, Desk, make_desk
from trades.ledger.multi_shard_batch import round_read
from trades.models import LEDGER_SHARDS, AccountGroup, Breach, Limit

LIMITS, BREACHES, TRADES = "/api/v1/limits/", "/api/v1/breaches/", "/api/v1/trades/"
MARKS = {"IBM": "121.79", "KO": "104.99", "GE": "142.50"}
BOOK = {"IBM": "1050", "KO": "-125", "GE": "1200"}


@pytest.fixture
def desk(committed_db: None, noon: datetime) -> Desk:
    """Long 298,879.50, short 13,123.75."""
    found = make_desk()
    for ticker, mark in MARKS.items():
        instrument = found.ibm if ticker == "IBM" else make.make_instrument(ticker)
        make.make_close(instrument, date(2026, 3, 17), mark)
        make.make_quote(instrument, mark, NOW)
    for ticker, quantity in BOOK.items():
        side = "sell" if quantity.startswith("-") else "buy"
        answer = book(found, ticker, quantity.lstrip("-"), MARKS[ticker], side)
        assert answer.status_code == 201, answer.content
    read()
    return found


def book(desk: Desk, ticker: str, quantity: str, price: str, side: str = "buy") -> Any:
    body = {
        "account": "Test1", "ticker": ticker, "side": side, "quantity": quantity, "price": price,
    }  # fmt: skip
    return desk.client().post(TRADES, body, format="json")


def read() -> None:
    assert not round_read(ACTIVITY, range(LEDGER_SHARDS)).behind


@pytest.fixture
def boss(desk: Desk) -> APIClient:
    return make.client_of(make.make_user("boss", is_superuser=True))


def put(boss: APIClient, *rows: dict[str, Any]) -> Any:
    return boss.put(LIMITS, list(rows), format="json")


def opened(boss: APIClient) -> dict[str, tuple[str, str, str]]:
    found = boss.get(BREACHES, {"open": "true"}).json()["results"]
    return {b["kind"]: (b["state"], b["value"], b["used"]) for b in found}


def test_the_example(desk: Desk, boss: APIClient) -> None:
    assert put(boss, {"account": "Test1", "kind": "gross", "amount": "400000"}).status_code == 200
    body = {"account": "Test1", "ticker": "GE", "side": "buy", "quantity": "500", "price": "143"}
    check = desk.client().post(f"{TRADES}check/", body, format="json").json()
    before, after = check["exposure"]["before"], check["exposure"]["after"]
    assert before == {
        "long": "298879.5", "short": "-13123.75", "net": "285755.75", "gross": "312003.25",
        "largest_name": "171000", "largest_name_percent": "54.807121",
    }  # fmt: skip
    assert after["gross"] == "383253.25"
    (limit,) = check["limits"]
    assert (limit["before"], limit["after"]) == ("312003.25", "383253.25")
    assert (limit["used_after"], limit["state"]) == ("95.813313", "warned")
    assert check["pnl_at_once"] == "-250"
    assert (check["position_before"], check["position_after"]) == ("1200", "1700")
    limits_watch(now=NOW)
    assert opened(boss) == {}
    assert book(desk, "GE", "500", "143").status_code == 201
    read()
    assert limits_watch(now=NOW) == 1
    assert opened(boss) == {"gross": ("warned", "383253.25", "95.813313")}
    # The same again changes nothing; less closes it.
    assert limits_watch(now=NOW) == 0
    assert book(desk, "GE", "500", "142.5", "sell").status_code == 201
    read()
    assert limits_watch(now=NOW) == 1
    assert opened(boss) == {}
    assert Breach.objects.get().closed_at == NOW


VALUES = {
    "gross": "312003.25", "net": "285755.75", "long": "298879.5", "short": "13123.75",
    "name": "171000", "position": "1200", "day_notional": "312003.25",
}  # fmt: skip


def test_every_kind_is_measured(desk: Desk, boss: APIClient) -> None:
    rows = [{"account": "Test1", "kind": kind, "amount": "1"} for kind in VALUES]
    rows += [
        {"account": "Test1", "kind": "name_share", "amount": "50"},
        {"account": "Test1", "kind": "day_loss", "amount": "0"},
    ]
    assert put(boss, *rows).status_code == 200
    limits_watch(now=NOW)
    found = opened(boss)
    assert {kind: value for kind, (_, value, _) in found.items() if kind in VALUES} == VALUES
    assert found["name_share"][:2] == ("breached", "54.807121")
    # Nothing was lost today: all was bought at the mark, which is the close before.
    assert "day_loss" not in found
    Quote.objects.filter(instrument=desk.ibm).update(price="120.79")
    limits_watch(now=NOW)
    assert opened(boss)["day_loss"][:2] == ("breached", "1050")


def test_a_group_is_looked_at_together(desk: Desk, boss: APIClient) -> None:
    group = AccountGroup.objects.create(name="Desk")
    group.accounts.set([desk.account, desk.other])
    rows = [{"group": "Desk", "kind": kind, "amount": "1"} for kind in ("gross", "name", "net")]
    assert put(boss, *rows).status_code == 200
    body = {"account": "Test2", "ticker": "GE", "side": "sell", "quantity": "1000", "price": "142"}
    assert desk.client().post(TRADES, body, format="json").status_code == 201
    read()
    limits_watch(now=NOW)
    found = opened(boss)
    assert Decimal(found["gross"][1]) == Decimal("312003.25") + 142500
    # A name is what they hold together: 200 of GE, so IBM is the largest.
    assert Decimal(found["name"][1]) == 1050 * Decimal("121.79")
    assert Decimal(found["net"][1]) == Decimal("285755.75") - 142500
    # Who may not view all of its accounts is told nothing.
    assert desk.client("viewer").get(BREACHES).json()["results"] == []
    assert len(desk.client().get(BREACHES).json()["results"]) == 3


def test_a_limit_refuses_what_makes_it_worse(desk: Desk, boss: APIClient) -> None:
    row = {"account": "Test1", "kind": "position", "amount": "1100", "mode": "refuse"}
    assert put(boss, row).status_code == 200
    desk.account.refresh_from_db()
    assert desk.account.is_limited
    assert book(desk, "IBM", "50", "121.79").status_code == 201
    refused = book(desk, "IBM", "1", "121.79")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "position_limit")
    # It is exceeded already, and this makes it better.
    assert book(desk, "GE", "50", "142.5", "sell").status_code == 201
    assert book(desk, "GE", "1", "142.5").status_code == 400
    day = {"account": "Test1", "kind": "day_notional", "amount": "325000", "mode": "refuse"}
    assert put(boss, {**row, "is_active": False}, day).status_code == 200
    assert book(desk, "IBM", "10", "1").status_code == 400
    assert put(boss, {**day, "amount": "400000"}).status_code == 200
    trade = book(desk, "IBM", "10", "1")
    assert trade.status_code == 201
    amended = desk.client().patch(
        f"{TRADES}{trade.json()['id']}/",
        {"version": 1, "reason": "x", "quantity": "100000"},
        format="json",
    )
    assert amended.json()["errors"][0]["code"] == "day_notional_limit"
    assert put(boss, {**day, "is_active": False}).status_code == 200
    desk.account.refresh_from_db()
    assert not desk.account.is_limited


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "of nobody": ({}, "one_of", "0.account"),
    "of two": ({"account": "Test1", "group": "Desk"}, "one_of", "0.account"),
    "unknown account": ({"account": "No"}, "unknown_account", "0.account"),
    "unknown group": ({"group": "No"}, "unknown_group", "0.group"),
    "refuses gross": ({"account": "Test1", "mode": "refuse"}, "not_refusable", "0.mode"),
    "alert at 0": ({"account": "Test1", "alert_at": "0"}, "invalid", "0.alert_at"),
}


@pytest.mark.parametrize(("row", "code", "attr"), WRONG.values(), ids=WRONG)
def test_what_is_no_limit_is_refused(
    desk: Desk, boss: APIClient, row: dict[str, Any], code: str, attr: str
) -> None:
    AccountGroup.objects.create(name="Desk")
    answer = put(boss, {"kind": "gross", "amount": "1", **row})
    assert answer.status_code == 400
    assert [(e["code"], e["attr"]) for e in answer.json()["errors"]] == [(code, attr)]
    assert not Limit.objects.exists()
