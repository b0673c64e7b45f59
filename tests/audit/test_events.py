"""Each thing that is recorded leaves one row, by whatever way it is done. Redis is down here."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import redis
from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from accounts.models import Account, Entitlement
from kernel.clock import clock_set
from prices.models import Instrument, PriceOverride, SessionOverride
from tests import factories as make
from tests.audit.conftest import ADDRESS, REQUEST, Since
from tests.trades.conftest import NOW

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 20)


@pytest.fixture(autouse=True)
def noon() -> Any:
    with clock_set(NOW):
        yield


def post(path: str, **sent: Any) -> Callable[[Client], Any]:
    return lambda client: client.post(f"/admin/{path}", sent)


def test_redis_is_down() -> None:
    with pytest.raises(redis.RedisError):
        redis.Redis.from_url(settings.REDIS_URL).ping()


# What is done in the admin: its event, what it is done to, before and after, of one column.
ADDED = {
    "account": ("accounts/account/add/", {
        "code": "New", "entitlements-TOTAL_FORMS": "0", "entitlements-INITIAL_FORMS": "0",
    }, "New"),
    "strategy": ("accounts/strategy/add/", {"code": "ALPHA", "is_active": "on"}, "ALPHA"),
    "counterparty": ("accounts/counterparty/add/", {"code": "B1", "is_active": "on"}, "B1"),
    "fee_schedule": ("trades/feeschedule/add/", {
        "name": "SEC", "kind": "tax", "side": "sell", "valid_from": DAY.isoformat(),
        "per_million": "27.8", "per_share": "0", "rounding": "up", "accounts-TOTAL_FORMS": "0",
        "accounts-INITIAL_FORMS": "0",
    }, f"SEC tax sell from {DAY.isoformat()}"),
    "user": ("auth/user/add/", {
        "username": "New", "usable_password": "false",
        "password1": "", "password2": "",
    }, "New"),
    "group": ("auth/group/add/", {"name": "New"}, "New"),
    "instrument": ("prices/instrument/add/", {
        "ticker": "NEW", "exchange": "XNYS", "currency": "USD", "is_active": "on",
    }, "NEW"),
    "session_override": ("prices/sessionoverride/add/", {
        "date": DAY.isoformat(), "is_closed": "on", "reason": "A storm",
    }, DAY.isoformat()),
    "settlement_override": ("prices/settlementoverride/add/", {
        "date": DAY.isoformat(), "reason": "A strike at the depository",
    }, DAY.isoformat()),
    "interval": ("django_celery_beat/intervalschedule/add/", {
        "every": "7", "period": "seconds", "periodictask_set-TOTAL_FORMS": "0",
        "periodictask_set-INITIAL_FORMS": "0",
    }, "7 seconds"),
}  # fmt: skip


@pytest.mark.parametrize("event", ADDED)
def test_adding(client: Client, boss: User, since: Since, event: str) -> None:
    path, sent, name = ADDED[event]
    since()
    answer = client.post(f"/admin/{path}", sent)
    assert answer.status_code == 302, answer.context["errors"]
    (row,) = since()
    assert (row.event, row.object_name, row.before) == (f"{event}.created", name, None)
    assert row.after["id"] == int(row.object_id)
    assert (row.actor, row.actor_name, row.address) == (boss.pk, "boss", ADDRESS)
    assert (row.request_id, row.source) == (REQUEST, "admin")


def changes() -> dict[str, tuple[Callable[[], Any], str, Any, Any]]:
    """By event: how the row is made, the column that is changed, from what, to what."""

    def override() -> PriceOverride:
        return PriceOverride.objects.create(
            instrument=make.make_instrument("XOM"), price=Decimal(2), reason="Halted",
            user=User.objects.get(username="boss"), expires_at=NOW,
        )  # fmt: skip

    def entitlement() -> Entitlement:
        make.entitle(make.make_user("trader"), make.make_account("A"))
        return Entitlement.objects.get()

    return {
        "account": (lambda: make.make_account("A"), "is_active", True, False),
        "user": (lambda: make.make_user("trader"), "is_active", True, False),
        "group": (lambda: Group.objects.create(name="a"), "name", "a", "b"),
        "entitlement": (entitlement, "can_book", False, True),
        "instrument": (lambda: make.make_instrument("XOM"), "is_active", True, False),
        "override": (override, "ended_at", None, "2026-03-18T16:00:00+00:00"),
        "session_override": (
            lambda: SessionOverride.objects.create(date=DAY, is_closed=True, reason="a"),
            "reason", "a", "b",
        ),
        "schedule": (
            lambda: PeriodicTask.objects.get(name="Refresh quotes"), "enabled", True, False,
        ),
        "interval": (
            lambda: IntervalSchedule.objects.create(every=7, period="days"), "every", 7, 8,
        ),
    }  # fmt: skip


@pytest.mark.parametrize("event", changes())
def test_changing(boss: User, since: Since, event: str) -> None:
    made, column, before, after = changes()[event]
    row = made()
    since()
    type(row).objects.filter(pk=row.pk).update(**{column: after})
    (told,) = since()
    assert told.event == f"{event}.changed"
    assert (told.before, told.after) == ({column: before}, {column: after})
    type(row).objects.filter(pk=row.pk).update(**{column: after})
    assert since() == [], "nothing changed"


def test_deleting_what_nothing_refers_to(boss: User, since: Since) -> None:
    for made, event in (
        (make.make_account("A"), "account.deleted"),
        (make.make_instrument("XOM"), "instrument.deleted"),
        (Group.objects.create(name="g"), "group.deleted"),
        (
            SessionOverride.objects.create(date=DAY, is_closed=True, reason="a"),
            "session_override.deleted",
        ),
    ):
        since()
        made.delete()
        (row,) = since()
        assert (row.event, row.after) == (event, None)
        assert row.before["id"] == int(row.object_id)


def test_groups_and_permissions(since: Since) -> None:
    user, group = make.make_user("trader"), Group.objects.create(name="Desk")
    right = Permission.objects.get(codename="override")
    since()
    user.groups.add(group)
    user.user_permissions.add(right)
    group.permissions.add(right)
    user.groups.remove(group)
    assert [(r.event, r.object_name) for r in since()] == [
        ("membership.created", "trader in Desk"),
        ("user_permission.created", "prices.override to trader"),
        ("group_permission.created", "prices.override to Desk"),
        ("membership.deleted", "trader in Desk"),
    ]


def test_what_beat_writes_is_no_change(since: Since) -> None:
    since()
    task = PeriodicTask.objects.get(name="Refresh quotes")
    task.last_run_at, task.total_run_count = NOW, 7
    task.save()
    assert since() == []


def test_logins_and_logouts(boss: User, since: Since) -> None:
    client = Client(headers={"X-Real-IP": ADDRESS}, REMOTE_ADDR="")
    since()
    client.post("/login/", {"username": "boss", "password": "demo"})
    (row,) = since()
    assert (row.event, row.actor_name, row.address) == ("login.succeeded", "boss", ADDRESS)
    client.post("/logout/")
    (row,) = since()
    assert (row.event, row.actor_name) == ("logout", "boss")


def test_tokens(boss: User, since: Since) -> None:
    client = Client(headers={"X-Real-IP": ADDRESS}, REMOTE_ADDR="")
    sent = {"username": "boss", "password": "demo", "name": "nightly"}
    since()
    made = client.post("/api/v1/token/", sent, content_type="application/json").json()
    (row,) = since()
    assert (row.event, row.object_name) == ("token.created", "nightly of boss")
    assert (row.actor, row.actor_name, row.address) == (boss.pk, "boss", ADDRESS)
    assert (row.after["digest"], row.after["password_digest"]) == ("***", "***")
    client.get("/api/v1/accounts/", headers={"Authorization": f"Token {made['token']}"})
    assert since() == [], "its use is no change"
    mine = make.client_of(boss)
    assert mine.delete(f"/api/v1/tokens/{made['id']}/").status_code == 204
    (row,) = since()
    assert (row.event, row.actor_name, row.after) == ("token.deleted", "boss", None)


@pytest.mark.parametrize(
    ("path", "about"),
    [
        ("trades/trade/export/csv/?q=IBM", "trades"),
        ("trades/trade/export/xlsx/?q=IBM", "trades"),
        ("blotter/pnlday/csv/?by=ticker", "pnl"),
        ("blotter/pnlday/excel/?by=ticker", "pnl"),
        ("audit/record/export/csv/?what=user", "audit"),
    ],
)
def test_exports(client: Client, since: Since, path: str, about: str) -> None:
    since()
    answer: Any = client.get(f"/admin/{path}")
    assert b"".join(answer.streaming_content)
    (row,) = since()
    assert (row.event, row.object_name) == ("export", about)
    assert row.after["query"] == path.partition("?")[2]
    assert row.actor_name == "boss"


def test_running_a_schedule_at_once(
    client: Client, since: Since, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django_celery_beat.admin import PeriodicTaskAdmin

    monkeypatch.setattr(PeriodicTaskAdmin, "run_tasks", lambda *_: None)
    task = PeriodicTask.objects.get(name="Refresh quotes")
    since()
    sent = {"action": "run_tasks", "_selected_action": [task.pk]}
    assert client.post("/admin/django_celery_beat/periodictask/", sent).status_code == 302
    (row,) = since()
    assert (row.event, row.object_name) == ("schedule.run", "Refresh quotes")


def test_an_override_over_rest(since: Since) -> None:
    desk, ibm = make.make_user("office"), make.make_instrument("IBM")
    desk.user_permissions.add(Permission.objects.get(codename="override"))
    client = make.client_of(desk)
    since()
    sent = {"ticker": "IBM", "price": "9.5", "reason": "Halted"}
    made = client.post("/api/v1/prices/overrides/", sent, format="json").json()
    (row,) = since()
    assert (row.event, row.object_name, row.actor_name) == ("override.created", "IBM", "office")
    assert (row.after["price"], row.after["reason"]) == (9.5, "Halted")
    client.post(f"/api/v1/prices/overrides/{made['id']}/end/")
    (row,) = since()
    assert (row.event, sorted(row.after)) == ("override.changed", ["ended_at", "ended_by_id"])
    assert Instrument.objects.get() == ibm


def test_who_did_it_keeps_the_name(client: Client, boss: User) -> None:
    """A name is of who did things with it: not given to others, nor changed."""
    from django.db import IntegrityError, transaction

    assert Account.objects.count() == 0
    with pytest.raises(IntegrityError, match="deactivate"), transaction.atomic():
        User.objects.filter(pk=boss.pk).update(username="somebody")
    page = client.get(f"/admin/auth/user/{boss.pk}/change/")
    assert 'name="username"' not in page.content.decode()
    fresh = make.make_user("fresh")
    User.objects.filter(pk=fresh.pk).update(username="fresher")


def test_who_did_anything_is_not_deleted(client: Client, boss: User) -> None:
    from django.db import DatabaseError, transaction

    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        boss.delete()
    assert client.post(f"/admin/auth/user/{boss.pk}/delete/", {"post": "yes"}).status_code == 403
    page = client.get(f"/admin/auth/user/{boss.pk}/change/").content.decode()
    assert "Unselect this instead of deleting" in page
    assert User.objects.filter(pk=boss.pk).exists()


def test_an_account_with_an_entitlement_is_not_deleted(client: Client) -> None:
    trader, account = make.make_user("trader"), make.make_account("A")
    make.entitle(trader, account)
    page = client.post(f"/admin/accounts/account/{account.pk}/delete/", {"post": "yes"})
    assert page.context["protected"]
    assert Account.objects.filter(pk=account.pk).exists()
    assert Entitlement.objects.count() == 1


def test_an_instrument_with_a_price_is_not_deleted(client: Client) -> None:
    ibm = make.make_instrument("IBM")
    make.make_quote(ibm, "1", NOW)
    page = client.post(f"/admin/prices/instrument/{ibm.pk}/delete/", {"post": "yes"})
    assert page.context["protected"]
    assert Instrument.objects.count() == 1
