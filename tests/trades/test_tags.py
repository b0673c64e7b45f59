"""Tags of trades: events beside the trade, that change no number of it; and lists by tag, strategy
and counterparty."""

from typing import Any

import pytest

from accounts.models import Counterparty, Strategy
from tests import factories as make
from tests.trades.conftest import Desk
from tests.trades.test_booking import URL, book
from trades.models import LedgerEntry, TradeTag, TradeVersion

pytestmark = pytest.mark.django_db


def tag(desk: Desk, trade: dict[str, Any], user: str = "trader", **sent: Any) -> Any:
    return desk.client(user).post(f"{URL}{trade['id']}/tags/", sent, format="json")


def listed(desk: Desk, **query: Any) -> list[str]:
    answer = desk.client().get(URL, query)
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def test_tags_are_added_and_removed_beside_the_trade(desk: Desk) -> None:
    trade = book(desk).json()
    assert trade["tags"] == []
    assert tag(desk, trade, add=["block", "check"]).json() == {**trade, "tags": ["block", "check"]}
    assert tag(desk, trade, add=["block"], remove=["check", "other"]).json()["tags"] == ["block"]
    assert tag(desk, trade, add=["check"]).json()["tags"] == ["block", "check"]
    # What changes nothing is no event, and no event is a version or an entry.
    assert list(TradeTag.objects.values_list("tag", "is_added")) == [
        ("block", True), ("check", True), ("check", False), ("check", True),
    ]  # fmt: skip
    assert (TradeVersion.objects.count(), LedgerEntry.objects.count()) == (1, 1)
    assert desk.client().get(f"{URL}{trade['id']}/").json()["tags"] == ["block", "check"]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({}, "required"),
        ({"add": ["a b"]}, "invalid"),
        ({"add": ["x" * 33]}, "max_length"),
        ({"add": ["x"], "remove": ["x"]}, "both"),
        ({"add": [f"t{n}" for n in range(21)]}, "max_length"),
        ({"tags": ["x"]}, "unknown_field"),
    ],
    ids=str,
)
def test_what_is_refused(desk: Desk, sent: dict[str, Any], code: str) -> None:
    trade = book(desk).json()
    answer = tag(desk, trade, **sent)
    assert answer.status_code == 400
    assert [e["code"] for e in answer.json()["errors"]] == [code]
    assert not TradeTag.objects.exists()


def test_a_trade_has_so_many_tags_at_most(desk: Desk) -> None:
    trade = book(desk).json()
    assert tag(desk, trade, add=[f"t{n}" for n in range(20)]).status_code == 200
    assert tag(desk, trade, add=["one"]).json()["errors"][0]["code"] == "too_many"
    assert tag(desk, trade, add=["one"], remove=["t0"]).status_code == 200


def test_lists_by_tag_strategy_and_counterparty(desk: Desk) -> None:
    for code in ("ALPHA", "BETA"):
        Strategy.objects.create(code=code)
        Counterparty.objects.create(code=code)
    alpha = book(desk, strategy="ALPHA", counterparty="BETA").json()
    beta = book(desk, strategy="BETA").json()
    plain = book(desk).json()
    for trade in (alpha, plain):
        tag(desk, trade, add=["block"])
    tag(desk, plain, add=["late"])
    tag(desk, plain, remove=["block"])
    assert listed(desk) == [plain["id"], beta["id"], alpha["id"]]
    assert listed(desk, strategy="ALPHA") == [alpha["id"]]
    assert listed(desk, strategy=["ALPHA", "BETA"]) == [beta["id"], alpha["id"]]
    assert listed(desk, counterparty="BETA") == [alpha["id"]]
    assert listed(desk, tag="block") == [alpha["id"]]
    assert listed(desk, tag=["block", "late"]) == [plain["id"], alpha["id"]]
    assert listed(desk, tag="block", strategy="BETA") == []
    assert listed(desk, strategy="NOPE") == listed(desk, tag="nope") == []


def test_named_are_listed_and_added_by_who_may(desk: Desk) -> None:
    root = make.client_of(make.make_user("root", is_superuser=True))
    for kind in ("strategies", "counterparties"):
        url = f"/api/v1/{kind}/"
        sent = {"code": "ALPHA", "name": "Pairs"}
        assert desk.client("trader").post(url, sent, format="json").status_code == 403
        answer = root.post(url, sent, format="json")
        assert (answer.status_code, answer.json()) == (201, {**sent, "is_active": True})
        again = root.post(url, sent, format="json")
        assert [(e["code"], e["attr"]) for e in again.json()["errors"]] == [("taken", "code")]
        wrong = root.post(url, {"code": "-x"}, format="json")
        assert [e["attr"] for e in wrong.json()["errors"]] == ["code"]
        assert desk.client("trader").get(url).json()["results"] == [{**sent, "is_active": True}]
