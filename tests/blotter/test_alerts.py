"""Alerts by user: set and changed by their users alone, and what is wrong said clearly."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Entitlement
from blotter.alerts.keep import MOST
from blotter.alerts.watch import alerts_watch
from blotter.models import Alert
from tests.trades.conftest import NOW, Desk, desk, noon

__all__ = ["desk", "noon"]

ALERTS = "/api/v1/alerts/"
LOSS = {"kind": "account_pnl", "account": "Test1", "way": "below", "level": "-10000.50"}


def post(client: APIClient, **body: Any) -> Any:
    return client.post(ALERTS, body, format="json")


def listed(client: APIClient) -> list[Any]:
    answer = client.get(ALERTS)
    assert answer.status_code == 200
    return list(answer.json()["results"])


def problems(answer: Any) -> set[tuple[str, str]]:
    assert answer.status_code == 400, answer.content
    return {(error["attr"], error["code"]) for error in answer.json()["errors"]}


@pytest.mark.parametrize(
    "body",
    [
        LOSS,
        {"kind": "price", "ticker": "IBM", "way": "above", "level": "150"},
        {"kind": "position", "account": "Test1", "ticker": "IBM", "way": "below", "level": "-5"},
        {"kind": "stale", "ticker": "IBM", "level": "5"},
        {"kind": "stale", "account": "Test1", "level": "600"},
        {"kind": "others_trades", "account": "Test1"},
    ],
)
def test_set_changed_and_deleted_by_its_user(desk: Desk, body: dict[str, Any]) -> None:
    mine, theirs = desk.client(), desk.client("viewer")
    answer = post(mine, **body)
    assert answer.status_code == 201, answer.content
    row = answer.json()
    said = {**body, "level": body["level"].replace(".50", ".5")} if "level" in body else body
    assert {name: row[name] for name in said} == said
    assert (row["state"], row["is_once"], row["last_fired_at"]) == ("armed", False, None)
    assert listed(mine) == [row]
    address = f"{ALERTS}{row['id']}/"
    # Nobody else learns of it, or touches it.
    assert listed(theirs) == []
    assert theirs.put(address, body, format="json").status_code == 404
    assert theirs.delete(address).status_code == 404
    changed = mine.put(address, {**body, "is_active": False, "is_once": True}, format="json")
    assert changed.status_code == 200, changed.content
    assert (changed.json()["state"], changed.json()["is_once"]) == ("off", True)
    assert mine.delete(address).status_code == 204
    assert mine.delete(address).status_code == 404
    assert listed(mine) == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({**LOSS, "account": "Test9"}, {("account", "does_not_exist")}),
        ({"kind": "account_pnl"}, {(n, "required") for n in ("account", "way", "level")}),
        ({**LOSS, "ticker": "IBM"}, {("ticker", "not_allowed")}),
        ({**LOSS, "level": "1,000"}, {("level", "thousands_separator")}),
        ({**LOSS, "level": "1e3"}, {("level", "not_decimal")}),
        ({**LOSS, "level": "NaN"}, {("level", "not_decimal")}),
        ({**LOSS, "level": "1" * 19}, {("level", "too_large")}),
        ({**LOSS, "level": "0.12345678901"}, {("level", "too_fine")}),
        ({**LOSS, "level": True}, {("level", "not_decimal")}),
        ({**LOSS, "way": "over"}, {("way", "invalid_choice")}),
        ({**LOSS, "kind": "weather"}, {("kind", "invalid_choice")}),
        ({**LOSS, "is_once": "yes"}, {("is_once", "invalid")}),
        ({**LOSS, "more": 1}, {("more", "unknown_field")}),
        (
            {"kind": "price", "ticker": "NONE", "way": "above", "level": "1"},
            {("ticker", "unknown_ticker")},
        ),
        ({"kind": "stale", "level": "5"}, {("account", "one_of")}),
        (
            {"kind": "stale", "level": "5", "ticker": "IBM", "account": "Test1"},
            {("account", "one_of")},
        ),
        ({"kind": "stale", "level": "0", "ticker": "IBM"}, {("level", "minutes")}),
        ({"kind": "stale", "level": "1.5", "ticker": "IBM"}, {("level", "minutes")}),
        ({"kind": "stale", "level": "601", "ticker": "IBM"}, {("level", "minutes")}),
        (
            {"kind": "others_trades", "account": "Test1", "way": "above", "level": "1"},
            {("way", "not_allowed"), ("level", "not_allowed")},
        ),
    ],
)
def test_what_is_wrong_is_said(desk: Desk, body: dict[str, Any], said: Any) -> None:
    client = desk.client()
    assert problems(post(client, **body)) == said
    assert listed(client) == []


def test_what_it_is_of_stays(desk: Desk) -> None:
    client = desk.client()
    address = f"{ALERTS}{post(client, **LOSS).json()['id']}/"
    other = client.put(address, {**LOSS, "account": "Test2"}, format="json")
    assert problems(other) == {("kind", "fixed")}


def test_only_of_accounts_that_one_may_view(desk: Desk) -> None:
    viewer = desk.client("viewer")
    assert post(viewer, **LOSS).status_code == 201
    assert problems(post(viewer, **{**LOSS, "account": "Test2"})) == {("account", "does_not_exist")}
    assert problems(post(desk.client("outsider"), **LOSS)) == {("account", "does_not_exist")}


def test_so_many_and_no_more(desk: Desk) -> None:
    client = desk.client()
    for _ in range(MOST):
        assert post(client, **LOSS).status_code == 201
    assert problems(post(client, **LOSS)) == {("kind", "too_many")}
    # Another user has as many of their own.
    assert post(desk.client("viewer"), **LOSS).status_code == 201


def fire(desk: Desk) -> APIClient:
    """The viewer, whose alert of what nobody holds has fired."""
    viewer = desk.client("viewer")
    body = {"kind": "position", "account": "Test1", "ticker": "IBM", "way": "above", "level": "-1"}
    assert post(viewer, **body).status_code == 201
    assert alerts_watch(now=NOW) == 1
    return viewer


def told(client: APIClient, **query: str) -> list[Any]:
    answer = client.get(f"{ALERTS}fired/", query)
    assert answer.status_code == 200, answer.content
    return list(answer.json()["results"])


def test_told_until_seen(desk: Desk) -> None:
    viewer = fire(desk)
    (row,) = told(viewer, unseen="true")
    assert row["text"] == "Test1 holds 0 IBM, above -1"
    assert (row["value"], row["level"], row["way"]) == ("0", "-1", "above")
    assert (row["account"], row["ticker"], row["closed_at"]) == ("Test1", "IBM", None)
    assert listed(viewer)[0]["state"] == "holds"
    assert listed(viewer)[0]["last_fired_at"] == row["opened_at"]
    # Others see nothing of it, and see nothing for its user.
    trader, seen = desk.client(), {"ids": [row["id"]]}
    assert told(trader) == []
    assert trader.post(f"{ALERTS}seen/", seen, format="json").json() == {"seen": 0}
    assert viewer.post(f"{ALERTS}seen/", seen, format="json").json() == {"seen": 1}
    assert viewer.post(f"{ALERTS}seen/", seen, format="json").json() == {"seen": 0}
    assert told(viewer, unseen="true") == []
    assert [each["id"] for each in told(viewer)] == [row["id"]]
    assert problems(viewer.post(f"{ALERTS}seen/", {"ids": []}, format="json"))


def test_a_right_that_is_gone_silences_it(desk: Desk) -> None:
    viewer = fire(desk)
    Entitlement.objects.filter(user=desk.viewer).update(can_view=False)
    assert told(viewer) == []
    assert listed(viewer)[0]["state"] == "silent"
    Entitlement.objects.filter(user=desk.viewer).update(can_view=True)
    assert len(told(viewer)) == 1
    assert Alert.objects.count() == 1
