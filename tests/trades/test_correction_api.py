"""PATCH, cancel and versions over REST: answers, refusals, and who may."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from tests import factories as make
from tests.trades.conftest import NOW, TODAY, Desk
from tests.trades.test_booking import URL, book, problems
from trades.models import Trade, TradeVersion

MONDAY = date(2026, 3, 16)


@pytest.fixture
def trade(desk: Desk) -> dict[str, Any]:
    make.make_close(desk.ibm, date(2026, 3, 17), "140")
    row: dict[str, Any] = book(desk, client_trade_id="a-1", note="first").json()
    return row


@pytest.fixture
def clerk(desk: Desk) -> User:
    """May correct in Test1, only look in Test2."""
    user = make.make_user("clerk")
    make.entitle(user, desk.account, correct=True)
    make.entitle(user, desk.other)
    return user


def amend(client: APIClient, trade: dict[str, Any], **changes: Any) -> Any:
    return _send(client.patch, f"{URL}{trade['id']}/", changes)


def cancel(client: APIClient, trade: dict[str, Any], **changes: Any) -> Any:
    return _send(client.post, f"{URL}{trade['id']}/cancel/", changes)


def _send(method: Any, url: str, changes: dict[str, Any]) -> Any:
    body = {"version": 1, "reason": "typo", **changes}
    text = json.dumps({k: v for k, v in body.items() if v is not ...})
    return method(url, text, content_type="application/json")


def versions(client: APIClient, trade: dict[str, Any]) -> Any:
    return client.get(f"{URL}{trade['id']}/versions/")


def test_an_amendment_answers_with_the_whole_trade(desk: Desk, trade: dict[str, Any]) -> None:
    answer = amend(desk.client(), trade, quantity="7", side="sell", price=150)
    assert answer.status_code == 200, answer.content
    assert answer.json() == {
        **trade, "version": 2, "status": "amended", "quantity": "7", "side": "sell",
        "price": "150", "net_amount": "-1050", "trade_pnl": "70",  # (140 − 150) × −7
    }  # fmt: skip
    assert desk.client().get(f"{URL}{trade['id']}/").json() == answer.json()


def test_every_term_can_be_amended_at_once(desk: Desk, trade: dict[str, Any]) -> None:
    make.make_instrument("XOM")
    changed = {
        "account": "Test2", "ticker": "XOM", "side": "sell", "quantity": "1", "price": "2",
        "note": "", "trade_date": "2026-03-17",
    }  # fmt: skip
    answer = amend(desk.client(), trade, **changed)
    assert answer.status_code == 200
    assert {k: answer.json()[k] for k in changed} == changed


def test_null_terms_stay_as_they_are(desk: Desk, trade: dict[str, Any]) -> None:
    answer = amend(desk.client(), trade, quantity="7", price=None, account=None, note=None)
    assert answer.json()["price"] == "143.5"
    assert answer.json()["note"] == "first"


def test_a_cancelled_trade_is_shown_counts_nothing_and_stays_so(
    desk: Desk, trade: dict[str, Any]
) -> None:
    answer = cancel(desk.client(), trade)
    assert answer.status_code == 200
    assert answer.json() == {**trade, "version": 2, "status": "cancelled", "trade_pnl": "0"}
    for again in (cancel(desk.client(), trade, version=2), amend(desk.client(), trade, version=2)):
        assert again.status_code == 409
        assert again.json()["errors"][0]["code"] == "already_cancelled"
    assert TradeVersion.objects.count() == 2


def test_who_comes_second_is_told_to_look_again(desk: Desk, trade: dict[str, Any]) -> None:
    amend(desk.client(), trade, quantity="7")
    for late in (amend(desk.client(), trade, quantity="8"), cancel(desk.client(), trade)):
        assert late.status_code == 409
        assert late.json()["type"] == "client_error"
        assert late.json()["errors"] == [
            {"code": "stale_version", "detail": "The trade is at version 2: read it again.",
             "attr": None}
        ]  # fmt: skip
    ahead = amend(desk.client(), trade, version=3, quantity="8")
    assert ahead.status_code == 409


BAD: list[tuple[dict[str, Any], str]] = [
    ({"version": ...}, "version"), ({"version": None}, "version"), ({"version": "1"}, "version"),
    ({"version": True}, "version"), ({"version": 1.0}, "version"), ({"version": 0}, "version"),
    ({"version": -1}, "version"), ({"version": 2**31}, "version"), ({"version": 10**30}, "version"),
    ({"version": [1]}, "version"),
    ({"reason": ...}, "reason"), ({"reason": None}, "reason"), ({"reason": ""}, "reason"),
    ({"reason": "   "}, "reason"), ({"reason": "x" * 201}, "reason"), ({"reason": 5}, "reason"),
    ({"reason": "a\x00"}, "reason"), ({"reason": "\ud800"}, "reason"),
    ({"status": "cancelled"}, "status"), ({"executed_at": "2026-03-17T15:00:00Z"}, "executed_at"),
]  # fmt: skip
BAD_TERMS: list[tuple[dict[str, Any], str]] = [
    ({"ticker": "NOPE"}, "ticker"), ({"account": "Nope"}, "account"), ({"side": "BUY"}, "side"),
    ({"quantity": "0"}, "quantity"), ({"quantity": "1e3"}, "quantity"), ({"price": "-1"}, "price"),
    ({"price": True}, "price"), ({"price": "0.00000000001"}, "price"),
    ({"trade_date": "2026-03-19"}, "trade_date"), ({"trade_date": "2026-03-15"}, "trade_date"),
    ({"note": "x" * 201}, "note"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "attr"), [*BAD, *BAD_TERMS], ids=repr)
def test_amendments_refused_with_the_fields_name(
    desk: Desk, trade: dict[str, Any], changes: dict[str, Any], attr: str
) -> None:
    answer = amend(desk.client(), trade, **{"quantity": "7", **changes})
    assert answer.status_code == 400, answer.content
    assert attr in {a for a, _ in problems(answer)}
    assert TradeVersion.objects.count() == 1


@pytest.mark.parametrize(("changes", "attr"), [*BAD, ({"quantity": "7"}, "quantity")], ids=repr)
def test_cancellations_refused_with_the_fields_name(
    desk: Desk, trade: dict[str, Any], changes: dict[str, Any], attr: str
) -> None:
    answer = cancel(desk.client(), trade, **changes)
    assert answer.status_code == 400, answer.content
    assert attr in {a for a, _ in problems(answer)}
    assert TradeVersion.objects.count() == 1


@pytest.mark.parametrize("changes", [{}, {"quantity": "10.00"}, {"note": "first"}], ids=repr)
def test_an_amendment_that_changes_nothing_is_refused(
    desk: Desk, trade: dict[str, Any], changes: dict[str, Any]
) -> None:
    answer = amend(desk.client(), trade, **changes)
    assert problems(answer) == {(None, "nothing_changed")}
    assert answer.status_code == 400


def test_all_versions_oldest_first_with_who_when_and_why(
    desk: Desk, trade: dict[str, Any], clerk: User
) -> None:
    amend(make.client_of(clerk), trade, quantity="7", reason="A digit too many")
    cancel(desk.client(), trade, version=2, reason="Twice")
    answer = versions(desk.client(), trade)
    assert answer.status_code == 200
    assert set(answer.json()) == {"next", "previous", "results"}
    rows = answer.json()["results"]
    assert [(r["version"], r["status"], r["quantity"], r["actor"], r["reason"]) for r in rows] == [
        (1, "booked", "10", "trader", ""),
        (2, "amended", "7", "clerk", "A digit too many"),
        (3, "cancelled", "7", "trader", "Twice"),
    ]
    assert set(rows[0]) == {
        "version", "status", "account", "ticker", "side", "quantity", "price", "trade_date",
        "executed_at", "executed_at_known", "note", "settlement_date", "strategy", "counterparty",
        "order_id", "fees", "actor", "reason", "recorded_at", "asked", "confirmed_by",
    }  # fmt: skip


def test_versions_come_in_pages(desk: Desk, trade: dict[str, Any]) -> None:
    for version in range(1, 12):
        assert amend(desk.client(), trade, version=version, price=version).status_code == 200
    client = desk.client()
    page = client.get(f"{URL}{trade['id']}/versions/", {"page_size": 5}).json()
    found = [r["version"] for r in page["results"]]
    while page["next"]:
        page = client.get(page["next"]).json()
        found += [r["version"] for r in page["results"]]
    assert found == list(range(1, 13))


def test_versions_in_an_account_out_of_sight_are_left_out(
    desk: Desk, trade: dict[str, Any]
) -> None:
    amend(desk.client(), trade, account="Test2", reason="wrong book")
    assert versions(desk.client("viewer"), trade).status_code == 404
    amend(desk.client(), trade, version=2, account="Test1", reason="was right")
    rows = versions(desk.client("viewer"), trade).json()["results"]
    assert [r["version"] for r in rows] == [1, 3]
    assert len(versions(desk.client(), trade).json()["results"]) == 3


# --- who may -------------------------------------------------------------------------------------


def test_who_may_only_look_gets_403_whatever_they_say(desk: Desk, trade: dict[str, Any]) -> None:
    viewer = desk.client("viewer")
    for answer in (
        amend(viewer, trade, quantity="7"),
        cancel(viewer, trade),
        amend(viewer, trade, version=9, quantity="7"),
        cancel(viewer, trade, version=9),
    ):
        assert answer.status_code == 403
        assert answer.json()["errors"][0]["code"] == "not_entitled"
    assert TradeVersion.objects.count() == 1


def test_out_of_sight_and_unknown_are_alike(desk: Desk, trade: dict[str, Any]) -> None:
    outsider, unknown = desk.client("outsider"), {**trade, "id": str(uuid4())}
    calls: list[Callable[[dict[str, Any]], Any]] = [
        lambda t: amend(outsider, t, quantity="7"),
        lambda t: cancel(outsider, t),
        lambda t: versions(outsider, t),
    ]
    for call in calls:
        hidden, nothing = call(trade), call(unknown)
        assert hidden.status_code == nothing.status_code == 404
        assert hidden.json() == nothing.json()


def test_a_move_needs_the_right_in_both_accounts(
    desk: Desk, trade: dict[str, Any], clerk: User
) -> None:
    client = make.client_of(clerk)
    refused = amend(client, trade, account="Test2")
    assert refused.status_code == 403
    # Only where the right is missing.
    assert refused.json()["errors"][0]["detail"] == "You may not correct this trade in Test2."
    hidden, nothing = (amend(client, trade, account=code) for code in ("Test4", "Nope"))
    assert problems(hidden) == problems(nothing) == {("account", "unknown_account")}
    clerk.entitlements.filter(account=desk.other).update(can_correct=True)
    assert amend(client, trade, account="Test2").status_code == 200


def test_ones_own_trade_on_its_trade_date(desk: Desk, trade: dict[str, Any]) -> None:
    assert amend(desk.client(), trade, quantity="7").status_code == 200
    old = book(desk, trade_date=MONDAY.isoformat()).json()
    assert amend(desk.client(), old, quantity="7").status_code == 403
    assert cancel(desk.client(), old).status_code == 403
    colleague = make.make_user("colleague")
    make.entitle(colleague, desk.account, book=True)
    assert cancel(make.client_of(colleague), trade, version=2).status_code == 403


def test_a_superuser_may_correct_anything(desk: Desk, trade: dict[str, Any]) -> None:
    boss = make.client_of(make.make_user("boss", is_superuser=True))
    assert amend(boss, trade, account="Test2").status_code == 200


def test_nobody_corrects_without_login(desk: Desk, trade: dict[str, Any]) -> None:
    nobody = APIClient()
    for answer in (amend(nobody, trade), cancel(nobody, trade), versions(nobody, trade)):
        assert answer.status_code == 401


# --- idempotency ---------------------------------------------------------------------------------


def test_a_retry_of_a_booking_after_a_correction_returns_the_trade_as_it_is(
    desk: Desk, trade: dict[str, Any]
) -> None:
    amended = amend(desk.client(), trade, quantity="7", account="Test2").json()
    again = book(desk, client_trade_id="a-1", note="first")
    assert (again.status_code, again.json()) == (200, amended)
    # What is compared is version 1, not what the trade has become.
    assert book(desk, client_trade_id="a-1", quantity="7").status_code == 409
    cancelled = cancel(desk.client(), trade, version=2).json()
    again = book(desk, client_trade_id="a-1", note="first")
    assert (again.status_code, again.json()) == (200, cancelled)
    assert Trade.objects.count() == 1


def test_the_id_of_a_moved_trade_is_free_in_the_account_it_moved_to(
    desk: Desk, trade: dict[str, Any]
) -> None:
    amend(desk.client(), trade, account="Test2")
    other = book(desk, account="Test2", client_trade_id="a-1")
    assert other.status_code == 201
    assert other.json()["id"] != trade["id"]


# --- no short ------------------------------------------------------------------------------------


def test_no_correction_may_leave_an_account_short(desk: Desk) -> None:
    bought = book(desk, account="Test4", trade_date=MONDAY.isoformat()).json()
    sold = book(desk, account="Test4", side="sell", quantity="6").json()
    boss = make.client_of(make.make_user("boss", is_superuser=True))
    for answer in (
        cancel(boss, bought),
        amend(boss, bought, quantity="5"),
        amend(boss, bought, side="sell", quantity="1"),
        amend(boss, bought, account="Test1"),
        amend(boss, sold, quantity="11"),
        amend(boss, sold, trade_date="2026-03-13"),
    ):
        assert answer.status_code == 400
        assert problems(answer) == {("quantity", "short_position")}
    make.make_instrument("XOM")
    assert problems(amend(boss, bought, ticker="XOM")) == {("quantity", "short_position")}
    # Neither lowers what is held on any session below what it may be.
    assert amend(boss, bought, trade_date=TODAY.isoformat()).status_code == 200
    assert amend(boss, sold, quantity="10", price="1").status_code == 200


def test_a_move_into_an_account_that_may_not_go_short(desk: Desk) -> None:
    sold = book(desk, side="sell", quantity="6").json()
    boss = make.client_of(make.make_user("boss", is_superuser=True))
    answer = amend(boss, sold, account="Test4")
    assert problems(answer) == {("quantity", "short_position")}
    book(desk, account="Test4", quantity="6")
    assert amend(boss, sold, account="Test4").status_code == 200


def test_an_account_that_is_short_already_may_be_mended(desk: Desk) -> None:
    """The account became one that may not go short while it was: what does not lower it is fine."""
    short = make.make_trade(
        desk.trader, desk.no_short, desk.ibm, "-10", "2", trade_date=TODAY, at=NOW
    )
    boss = make.client_of(make.make_user("boss", is_superuser=True))
    row = {"id": str(short.pk)}
    assert amend(boss, row, quantity="11").status_code == 400
    assert amend(boss, row, quantity="9").status_code == 200
    assert amend(boss, row, version=2, price="3").status_code == 200
    assert cancel(boss, row, version=3).status_code == 200
