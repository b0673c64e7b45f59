"""A user's named views: kept and shared by link, and nobody learns of another's accounts."""

from typing import Any

import pytest
from django.test import Client

from blotter.models import SavedView
from blotter.saved_views import LARGEST, MOST
from tests import factories as make
from tests.blotter.conftest import Blotter

VIEWS = "/api/v1/views/"
STATE = {
    "address": {"group": "ticker"},
    "columns": {"positions-grid": [{"colId": "a", "width": 9.5}]},
}


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def mine(blotter: Blotter) -> Client:
    return client_of(blotter.user)


def save(client: Client, name: str = "Mine", **more: Any) -> Any:
    body = {"name": name, "state": STATE, **more}
    return client.put(VIEWS, body, content_type="application/json")


def listed(client: Client) -> list[Any]:
    answer = client.get(VIEWS)
    assert answer.status_code == 200
    return [(row["name"], row["is_default"]) for row in answer.json()["results"]]


def test_kept_under_a_name_until_deleted(mine: Client) -> None:
    first = save(mine, "B", is_default=True)
    assert first.status_code == 200, first.content
    assert first.json()["state"] == STATE
    assert first.json()["accounts"] is None
    save(mine, "A", accounts=["Test1"], is_default=True)
    assert listed(mine) == [("A", True), ("B", False)]
    again = save(mine, "B", state={})
    assert again.json()["id"] == first.json()["id"]
    assert again.json()["state"] == {}
    assert mine.delete(f"{VIEWS}?name=A").status_code == 204
    assert mine.delete(f"{VIEWS}?name=A").status_code == 404
    assert listed(mine) == [("B", False)]


def test_a_link_shows_a_shared_one_without_accounts_of_others(
    blotter: Blotter, mine: Client
) -> None:
    second = make.make_account("Test2")
    make.entitle(blotter.user, second)
    other = make.make_user("other")
    make.entitle(other, second)
    theirs = client_of(other)
    view = save(mine, accounts=["Test1", "Test2"]).json()
    address = f"{VIEWS}{view['id']}/"
    assert mine.get(address).json()["accounts"] == ["Test1", "Test2"]
    assert theirs.get(address).status_code == 404
    save(mine, accounts=["Test1", "Test2"], is_shared=True)
    seen = theirs.get(address).json()
    assert (seen["accounts"], seen["owner"], seen["state"]) == (["Test2"], "trader", STATE)
    # What they see is no view of theirs, and under its name they would save one of their own.
    assert listed(theirs) == []
    assert theirs.delete(f"{VIEWS}?name=Mine").status_code == 404
    assert save(theirs).json()["id"] != view["id"]


@pytest.mark.parametrize(
    ("more", "attr"),
    [
        ({"accounts": ["Test9"]}, "accounts"),
        ({"accounts": ["Test1"] * 501}, "accounts"),
        ({"state": {"a": "x" * LARGEST}}, "state"),
        ({"state": {"a": "\x00"}}, "state"),
        ({"state": {"\ud800": 1}}, "state"),
        ({"state": []}, "state"),
        ({"name": ""}, "name"),
        ({"name": "n" * 65}, "name"),
        ({"is_default": "yes"}, "is_default"),
        ({"more": 1}, "more"),
    ],
    ids=["account", "accounts", "large", "nul", "half", "list", "empty", "long", "flag", "unknown"],
)
def test_refused_by_field(mine: Client, more: dict[str, Any], attr: str) -> None:
    answer = save(mine, **more)
    assert answer.status_code == 400, answer.content
    assert answer.json()["errors"][0]["attr"].split(".")[0] == attr
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("state", ["1e999", "[" * 20 + "]" * 20, '{"a":' * 20 + "1" + "}" * 20])
def test_what_no_database_holds_is_refused(mine: Client, state: str) -> None:
    body = f'{{"name": "Mine", "state": {{"a": {state}}}}}'
    assert mine.put(VIEWS, body, content_type="application/json").status_code == 400


def test_no_more_than_so_many(mine: Client) -> None:
    for number in range(MOST):
        assert save(mine, f"{number}").status_code == 200
    assert save(mine, "one more").json()["errors"][0]["code"] == "too_many"
    assert save(mine, "0", is_default=True).status_code == 200
