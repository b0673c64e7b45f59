"""Entitlements, whole: every right, on one's own trade and on another's, of today and of before,
over REST and in the admin. The websocket's part is in tests/integration/test_entitlements_live."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from accounts.models import Entitlement
from tests import factories as make
from tests.trades.admin.conftest import LIST, amendment, cancellation, one
from tests.trades.conftest import NOW, TODAY, Desk
from tests.trades.test_booking import URL, book
from trades.models import Trade

BEFORE = date(2026, 3, 16)


@dataclass(frozen=True)
class Rights:
    name: str
    view: bool = True
    book: bool = False
    correct: bool = False


RIGHTS = [
    Rights("none", view=False),
    Rights("view"),
    Rights("book", book=True),
    Rights("correct", correct=True),
    Rights("book and correct", book=True, correct=True),
]
by_name = pytest.mark.parametrize("rights", RIGHTS, ids=lambda rights: rights.name)
by_owner = pytest.mark.parametrize("own", [True, False], ids=["own", "another's"])
by_day = pytest.mark.parametrize("day", [TODAY, BEFORE], ids=["of today", "of before"])


@pytest.fixture
def who(desk: Desk, rights: Rights) -> User:
    """Staff who may open trades in the admin; what they do there is up to their entitlements."""
    user = make.make_user("who", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_trade"))
    if rights.view:
        make.entitle(user, desk.account, book=rights.book, correct=rights.correct)
    # Rights elsewhere are worth nothing here.
    make.entitle(user, desk.other, book=True, correct=True)
    return user


def a_trade(desk: Desk, who: User, *, own: bool, day: date = TODAY) -> Trade:
    user = who if own else desk.trader
    return make.make_trade(user, desk.account, desk.ibm, "10", "2", trade_date=day, at=NOW)


def may_correct(rights: Rights, *, own: bool, day: date) -> bool:
    """The rule, in the words of the documentation."""
    return rights.correct or (rights.book and own and day == TODAY)


def send(client: Any, method: str, path: str, **body: Any) -> int:
    return int(getattr(client, method)(path, body, format="json").status_code)


@by_name
@by_owner
@by_day
def test_a_correction_over_rest_needs_view_and_the_right_to_correct(
    desk: Desk, who: User, rights: Rights, own: bool, day: date
) -> None:
    client = make.client_of(who)
    amended, cancelled = (a_trade(desk, who, own=own, day=day) for _ in range(2))
    allowed = may_correct(rights, own=own, day=day)
    expected = 404 if not rights.view else 200 if allowed else 403
    why = {"version": 1, "reason": "typo"}
    assert send(client, "patch", f"{URL}{amended.pk}/", **why, quantity="7") == expected
    assert send(client, "post", f"{URL}{cancelled.pk}/cancel/", **why) == expected
    # Into the account where they may do all; leaving this one needs the right, too.
    moved = a_trade(desk, who, own=own, day=day)
    assert send(client, "patch", f"{URL}{moved.pk}/", **why, account="Test2") == expected
    changed = set(Trade.objects.filter(version=2).values_list("pk", flat=True))
    assert changed == ({amended.pk, cancelled.pk, moved.pk} if expected == 200 else set())


@by_name
@by_owner
@by_day
def test_moving_in_over_rest(desk: Desk, who: User, rights: Rights, own: bool, day: date) -> None:
    """From where they may do all into the account with these rights."""
    user = who if own else desk.trader
    trade = make.make_trade(user, desk.other, desk.ibm, "10", "2", trade_date=day, at=NOW)
    allowed = may_correct(rights, own=own, day=day)
    expected = 400 if not rights.view else 200 if allowed else 403
    why = {"version": 1, "reason": "typo"}
    path = f"{URL}{trade.pk}/"
    assert send(make.client_of(who), "patch", path, **why, account="Test1") == expected


@by_name
def test_seeing_and_booking_over_rest(desk: Desk, who: User, rights: Rights) -> None:
    trade = a_trade(desk, who, own=False)
    client = make.client_of(who)
    seen = 200 if rights.view else 404
    assert client.get(f"{URL}{trade.pk}/").status_code == seen
    assert client.get(f"{URL}{trade.pk}/versions/").status_code == seen
    for query in ("", "?account=Test1", "?account=Test1&account=Test2", "?ticker=IBM"):
        rows = client.get(URL + query).json()["results"]
        assert [r["id"] for r in rows] == ([str(trade.pk)] if rights.view else []), query
    codes = {r["code"]: r for r in client.get("/api/v1/accounts/").json()["results"]}
    assert ("Test1" in codes) == rights.view
    if rights.view:
        said = {name: codes["Test1"][f"can_{name}"] for name in ("view", "book", "correct")}
        assert said == {"view": True, "book": rights.book, "correct": rights.correct}
    for path in ("positions/", "pnl/?by=account", "positions/?account=Test1"):
        rows = client.get(f"/api/v1/{path}").json()["results"]
        assert rights.view or "Test1" not in {r["account"] for r in rows}, path
    answer = client.post(
        URL,
        {"account": "Test1", "ticker": "IBM", "side": "buy", "quantity": "1", "price": "1"},
        format="json",
    )
    assert answer.status_code == (400 if not rights.view else 201 if rights.book else 403)


@by_name
@by_owner
@by_day
def test_a_correction_in_the_admin_needs_view_and_the_right_to_correct(
    desk: Desk, who: User, rights: Rights, own: bool, day: date
) -> None:
    client = Client()
    client.force_login(who)
    trade, other = (a_trade(desk, who, own=own, day=day) for _ in range(2))
    page = client.get(one(trade))
    assert page.status_code == (200 if rights.view else 302)
    listed = client.get(LIST).context["cl"].result_list
    assert {t.pk for t in listed} == ({trade.pk, other.pk} if rights.view else set())
    allowed = rights.view and may_correct(rights, own=own, day=day)
    if rights.view:
        assert (page.context["amend"] is not None) == allowed
        assert (page.context["cancel"] is not None) == allowed
    # What the page does not offer is refused as well.
    client.post(one(trade), amendment(trade, quantity="7"))
    client.post(one(other), cancellation())
    third = a_trade(desk, who, own=own, day=day)
    confirmed = {
        "action": "cancel_selected", "_selected_action": str(third.pk), "confirm": "1",
        "versions": f"{third.pk}:1", "reason": "twice",
    }  # fmt: skip
    client.post(LIST, confirmed)
    changed = set(Trade.objects.filter(version=2).values_list("pk", flat=True))
    assert changed == ({trade.pk, other.pk, third.pk} if allowed else set())


def test_a_right_that_is_taken_away_ends_at_once(desk: Desk) -> None:
    clerk = make.make_user("clerk")
    make.entitle(clerk, desk.account, correct=True)
    client = make.client_of(clerk)
    trade = book(desk).json()
    path, why = f"{URL}{trade['id']}/", {"reason": "typo"}
    assert send(client, "patch", path, version=1, quantity="7", **why) == 200
    Entitlement.objects.filter(user=clerk).update(can_correct=False)
    assert send(client, "patch", path, version=2, quantity="8", **why) == 403
    Entitlement.objects.filter(user=clerk).update(can_view=False, can_book=False, can_correct=False)
    assert send(client, "patch", path, version=2, quantity="8", **why) == 404


def test_an_entitlement_without_viewing_cannot_be(desk: Desk) -> None:
    """Booking blind would be a right that nobody can check: the database refuses it."""
    from django.db import IntegrityError, transaction

    for rights in ({"can_book": True}, {"can_correct": True}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Entitlement.objects.create(
                user=desk.outsider, account=desk.account, can_view=False, **rights
            )
