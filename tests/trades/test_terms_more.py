"""Fees, settlement date, strategy, counterparty and order id of a trade: booked, refused, changed,
taken back."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum

from accounts.models import Counterparty, Strategy
from tests.trades.conftest import Desk
from tests.trades.test_booking import URL, book, nothing_booked, problems, terms
from trades.models import LedgerEntry, Trade, TradeVersion, VersionFee

D = Decimal


@pytest.fixture(autouse=True)
def named(db: None) -> None:
    for code, is_active in (("ALPHA", True), ("BETA", True), ("OLD", False)):
        Strategy.objects.create(code=code, is_active=is_active)
        Counterparty.objects.create(code=code, is_active=is_active)


def fees(**amounts: str) -> list[dict[str, str]]:
    return [{"kind": kind, "amount": amount} for kind, amount in amounts.items()]


def sums() -> tuple[Decimal, ...]:
    found = LedgerEntry.objects.aggregate(
        Sum("quantity"), Sum("notional"), Sum("fees"), Sum("trades")
    )
    return tuple(found.values())


def amend(desk: Desk, trade: dict[str, Any], **changes: Any) -> Any:
    body = {"version": trade["version"], "reason": "misread", **changes}
    return desk.client("trader").patch(f"{URL}{trade['id']}/", body, format="json")


def amended(desk: Desk, trade: dict[str, Any], **changes: Any) -> dict[str, Any]:
    answer = amend(desk, trade, **changes)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def versions(desk: Desk, trade: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        desk.client().get(f"{URL}{trade['id']}/versions/").json()["results"]
    )
    return found


def test_all_terms_of_a_trade(desk: Desk) -> None:
    answer = book(
        desk, side="sell", quantity="400", price="52", strategy="ALPHA", counterparty="BETA",
        order_id="O-1", settlement_date="2026-03-20",
        fees=fees(regulatory="0.58", commission="2.00", other="0.07"),
    )  # fmt: skip
    assert answer.status_code == 201, answer.content
    trade = answer.json()
    assert {n: trade[n] for n in ("strategy", "counterparty", "order_id", "settlement_date")} == {
        "strategy": "ALPHA", "counterparty": "BETA", "order_id": "O-1",
        "settlement_date": "2026-03-20",
    }  # fmt: skip
    assert trade["fees"] == fees(commission="2", regulatory="0.58", other="0.07")
    assert D(trade["net_amount"]) == D("-20797.35")
    assert desk.client().get(f"{URL}{trade['id']}/").json() == trade
    assert desk.client().get(URL).json()["results"] == [trade]
    entry = LedgerEntry.objects.get()
    assert (entry.fees, entry.settlement_date) == (D("2.65"), date(2026, 3, 20))
    assert entry.strategy == Strategy.objects.get(code="ALPHA")
    (version,) = versions(desk, trade)
    assert version["fees"] == [{**fee, "source": "entered"} for fee in trade["fees"]]
    assert (version["strategy"], version["order_id"]) == ("ALPHA", "O-1")


def test_a_trade_without_them(desk: Desk) -> None:
    trade = book(desk).json()
    assert (trade["settlement_date"], trade["fees"]) == ("2026-03-19", [])
    assert [trade[n] for n in ("strategy", "counterparty", "order_id")] == [None] * 3
    assert D(trade["net_amount"]) == 1435
    entry = LedgerEntry.objects.get()
    assert (entry.fees, entry.strategy, entry.settlement_date) == (0, None, date(2026, 3, 19))
    assert (Trade.objects.get().fees, VersionFee.objects.count()) == (None, 0)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"strategy": "NOPE"}, ("strategy", "unknown_strategy")),
        ({"strategy": "OLD"}, ("strategy", "inactive_strategy")),
        ({"strategy": ""}, ("strategy", "blank")),
        ({"counterparty": "NOPE"}, ("counterparty", "unknown_counterparty")),
        ({"counterparty": "OLD"}, ("counterparty", "inactive_counterparty")),
        ({"order_id": "x" * 65}, ("order_id", "max_length")),
        ({"settlement_date": "2026-03-17"}, ("settlement_date", "settlement_before_trade")),
        ({"settlement_date": "2026-03-21"}, ("settlement_date", "no_settlement_day")),
        ({"settlement_date": "2026-11-11"}, ("settlement_date", "no_settlement_day")),
        ({"settlement_date": "tomorrow"}, ("settlement_date", "malformed")),
        ({"fees": "5"}, ("fees", "invalid")),
        ({"fees": [5]}, ("fees", "invalid")),
        ({"fees": [{"kind": "tax"}]}, ("fees", "invalid")),
        ({"fees": [{"kind": ["tax"], "amount": "1"}]}, ("fees", "fee_kind")),
        ({"fees": fees(bribe="1")}, ("fees", "fee_kind")),
        ({"fees": fees(tax="1") * 2}, ("fees", "fee_twice")),
        ({"fees": fees(tax="")}, ("fees", "not_decimal")),
        ({"fees": fees(tax="1e3")}, ("fees", "not_decimal")),
        ({"fees": [{"kind": "tax", "amount": True}]}, ("fees", "not_decimal")),
        ({"fees": [{"kind": "tax", "amount": -(10**400)}]}, ("fees", "too_large")),
        ({"fees": fees(tax="-0.0000001")}, ("fees", "too_fine")),
        ({"fees": fees(tax="-1000000000.01")}, ("fees", "too_large")),
    ],
    ids=str,
)
@pytest.mark.parametrize("way", ["book", "bulk", "amend"])
def test_what_is_refused(
    desk: Desk, way: str, changes: dict[str, Any], problem: tuple[str, str]
) -> None:
    if way == "book":
        answer = book(desk, **changes)
    elif way == "bulk":
        body = {"trades": [terms(), terms(**changes)]}
        answer = desk.client().post(f"{URL}bulk/", body, format="json")
        problem = f"trades.1.{problem[0]}", problem[1]
    elif problem[1] == "blank":
        return
    else:
        answer = amend(desk, book(desk).json(), **changes)
    assert answer.status_code == 400, answer.content
    assert problems(answer) == {problem}
    assert nothing_booked() or (way == "amend" and TradeVersion.objects.count() == 1)


def test_an_amended_and_a_cancelled_fee_in_the_ledger(desk: Desk) -> None:
    trade = book(desk, quantity="1000", price="50", fees=fees(commission="5.00")).json()
    trade = amended(desk, trade, quantity="900", fees=fees(commission="4.50"))
    assert sums() == (D(900), D(45000), D("4.5"), 1)
    trade = amended(desk, trade, fees=fees(tax="4.50"))
    entries = LedgerEntry.objects.order_by("id")
    assert [e.fees for e in entries] == [D(5), D(-5), D("4.5"), D("-4.5"), D("4.5")]
    trade = amended(desk, trade, note="kept")
    assert [v["fees"][0]["kind"] for v in versions(desk, trade)] == ["commission"] * 2 + ["tax"] * 2
    body = {"version": 4, "reason": "a double"}
    cancelled = desk.client().post(f"{URL}{trade['id']}/cancel/", body, format="json")
    assert cancelled.status_code == 200, cancelled.content
    assert cancelled.json()["fees"] == fees(tax="4.5")
    assert sums() == (D(0), D(0), D(0), 0)


def test_amended_there_and_back_is_unchanged(desk: Desk) -> None:
    first = book(desk, strategy="ALPHA", fees=fees(commission="1")).json()
    there = amended(
        desk, first, strategy="BETA", counterparty="BETA", order_id="O", fees=[],
        settlement_date="2026-04-01",
    )  # fmt: skip
    assert (there["fees"], there["strategy"], there["net_amount"]) == ([], "BETA", "1435")
    back = amended(
        desk, there, strategy="ALPHA", counterparty="", order_id="", fees=fees(commission="1.0"),
        settlement_date="2026-03-19",
    )  # fmt: skip
    but = {"version", "status"}
    assert {k: v for k, v in back.items() if k not in but} == {
        k: v for k, v in first.items() if k not in but
    }
    assert amend(desk, back, fees=fees(commission="1"), strategy="ALPHA").status_code == 400
    by_strategy = LedgerEntry.objects.values_list("strategy__code").annotate(
        Sum("quantity"), Sum("fees")
    )
    assert sorted(by_strategy) == [("ALPHA", D(10), D(1)), ("BETA", D(0), D(0))]


def test_the_settlement_date_follows_the_trade_date_unless_it_was_said(desk: Desk) -> None:
    one = book(desk).json()
    two = book(desk, settlement_date="2026-03-20").json()
    early = amend(desk, two, trade_date="2026-03-16", settlement_date="2026-03-13")
    assert problems(early) == {("settlement_date", "settlement_before_trade")}
    assert amended(desk, one, trade_date="2026-03-16")["settlement_date"] == "2026-03-17"
    assert amended(desk, two, trade_date="2026-03-16")["settlement_date"] == "2026-03-20"


def test_what_stands_may_have_become_inactive(desk: Desk) -> None:
    trade = book(desk, strategy="ALPHA").json()
    Strategy.objects.filter(code="ALPHA").update(is_active=False)
    assert amended(desk, trade, strategy="ALPHA", note="kept")["strategy"] == "ALPHA"


def test_a_retry_says_the_same(desk: Desk) -> None:
    said: dict[str, Any] = {
        "client_trade_id": "a",
        "strategy": "ALPHA",
        "fees": fees(tax="2", commission="5"),
    }
    assert book(desk, **said).status_code == 201
    again = {**said, "fees": fees(commission="5.00", tax="2")}
    assert book(desk, **again).status_code == 200
    assert book(desk, **said, settlement_date="2026-03-19").status_code == 200
    others: list[dict[str, Any]] = [
        {"strategy": "BETA"}, {"fees": fees(tax="2")}, {"order_id": "x"},
    ]  # fmt: skip
    for other in others:
        assert book(desk, **{**said, **other}).status_code == 409


def test_in_bulk(desk: Desk) -> None:
    rows = [terms(fees=fees(tax="1.5")), terms(side="sell"), terms(fees=fees(other="-0.5"))]
    rows[1]["strategy"] = "BETA"
    answer = desk.client().post(f"{URL}bulk/", {"trades": rows}, format="json")
    assert answer.status_code == 201, answer.content
    assert sums()[2] == D(1)
    found = {t["id"]: t for t in desk.client().get(URL).json()["results"]}
    in_order = [found[pk] for pk in answer.json()["ids"]]
    assert [t["fees"] for t in in_order] == [fees(tax="1.5"), [], fees(other="-0.5")]
    assert [t["strategy"] for t in in_order] == [None, "BETA", None]


def test_a_trade_of_before_there_were_these_terms(desk: Desk, noon: datetime) -> None:
    """Rows that were there keep null, and read as the calendar says."""
    trade = book(desk).json()
    Trade.objects.update(settlement_date=None)
    assert desk.client().get(f"{URL}{trade['id']}/").json() == trade
    assert amended(desk, trade, note="seen")["settlement_date"] == "2026-03-19"
    assert Trade.objects.get().settlement_date is None
