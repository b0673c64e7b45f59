"""Each event leaves exactly one row, and every event there is is tried here."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Group, Permission, User
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from accounts.models import Counterparty, Entitlement, Strategy
from accounts.services import token_create
from audit.tables import AUDITED
from blotter.models import SavedView
from kernel.clock import clock_set
from prices.models import InstrumentAlias, PriceOverride, SessionOverride, SettlementOverride
from tests import factories as make
from tests.audit.conftest import Since
from tests.audit.test_events import DAY
from tests.trades.conftest import NOW
from trades.models import AccountFeeSchedule, AccountGroup, FeeSchedule, Guard, Limit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def noon() -> Any:
    with clock_set(NOW):
        yield


def override() -> Any:
    return PriceOverride.objects.create(
        instrument=make.make_instrument("XOM"), price=2, reason="Halted",
        user=make.make_user("office"), expires_at=NOW + timedelta(hours=1),
    )  # fmt: skip


def through(model: Any) -> Callable[[], Any]:
    def make_one() -> Any:
        user, group = make.make_user("trader"), Group.objects.create(name="Desk")
        right = Permission.objects.get(codename="override")
        parts = {"user": user, "group": group, "permission": right}
        names = [f.name for f in model._meta.fields if f.name in parts]
        return model.objects.create(**{name: parts[name] for name in names})

    return make_one


def entitlement() -> Any:
    make.entitle(make.make_user("trader"), make.make_account("A"))
    return Entitlement.objects.get()


def schedule() -> Any:
    every = IntervalSchedule.objects.create(every=7, period="days")
    return PeriodicTask.objects.create(name="New", task="a.task", interval=every)


def of(model: Any, **values: Any) -> Callable[[], Any]:
    def make_one() -> Any:
        return model.objects.create(**values)

    return make_one


def alias() -> Any:
    return InstrumentAlias.objects.create(
        instrument=make.make_instrument("XOM"), ticker="OLD", last=DAY
    )


def second_factor() -> Any:
    return Authenticator.objects.create(user=make.make_user("trader"), type="totp", data={"a": 1})


def identity() -> Any:
    return SocialAccount.objects.create(user=make.make_user("trader"), provider="sso", uid="4711")


def guard() -> Any:
    boss = make.make_user("boss")
    return Guard.objects.create(account=make.make_account("A"), code="late", changed_by=boss)


def limit() -> Any:
    boss = make.make_user("boss")
    account = make.make_account("A")
    return Limit.objects.create(account=account, kind="gross", amount=1, changed_by=boss)


def fee_schedule() -> Any:
    return FeeSchedule.objects.create(name="SEC", kind="regulatory", valid_from=DAY)


def charged() -> Any:
    return AccountFeeSchedule.objects.create(
        account=make.make_account("A"), schedule=fee_schedule()
    )


def view() -> Any:
    user = make.make_user("trader")
    return SavedView.objects.create(user=user, name="Mine", state={}, saved_at=NOW)


# By table: how a row is made, one column of it, and another value of that; None where rows of it
# are only made and taken away.
CASES: dict[str, tuple[Callable[[], Any], str | None, Any]] = {
    "auth_user": (lambda: make.make_user("trader"), "is_active", "false"),
    "auth_group": (of(Group, name="a"), "name", "'b'"),
    "auth_user_groups": (through(User.groups.through), None, None),
    "auth_user_user_permissions": (through(User.user_permissions.through), None, None),
    "auth_group_permissions": (through(Group.permissions.through), None, None),
    "accounts_account": (lambda: make.make_account("A"), "is_active", "false"),
    "trades_feeschedule": (fee_schedule, "per_million", "2"),
    "trades_accountfeeschedule": (charged, None, None),
    "accounts_strategy": (of(Strategy, code="ALPHA"), "is_active", "false"),
    "accounts_counterparty": (of(Counterparty, code="BROKER"), "is_active", "false"),
    "accounts_entitlement": (entitlement, "can_book", "true"),
    "accounts_accesstoken": (
        lambda: token_create(user=make.make_user("trader"), now=NOW).token, "name", "'other'",
    ),
    "mfa_authenticator": (second_factor, "data", "'{}'"),
    "socialaccount_socialaccount": (identity, "uid", "'4712'"),
    "prices_instrument": (lambda: make.make_instrument("XOM"), "is_active", "false"),
    "prices_instrumentalias": (alias, "ticker", "'OTHER'"),
    "prices_priceoverride": (override, "ended_at", "now()"),
    "trades_limit": (limit, "amount", "9"),
    "trades_accountgroup": (of(AccountGroup, name="a"), "name", "'b'"),
    "trades_guard": (guard, "warn", "9"),
    "blotter_savedview": (view, "is_shared", "true"),
    "prices_sessionoverride": (
        of(SessionOverride, date=DAY, is_closed=True, reason="a"), "reason", "'b'",
    ),
    "prices_settlementoverride": (of(SettlementOverride, date=DAY, reason="a"), "settles", "true"),
    "django_celery_beat_periodictask": (schedule, "enabled", "false"),
    "django_celery_beat_intervalschedule": (
        of(IntervalSchedule, every=7, period="days"), "every", "8",
    ),
    "django_celery_beat_crontabschedule": (of(CrontabSchedule, minute="7"), "minute", "'8'"),
    "django_celery_beat_solarschedule": (
        of(SolarSchedule, event="sunset", latitude=1, longitude=1), "event", "'sunrise'",
    ),
    "django_celery_beat_clockedschedule": (
        of(ClockedSchedule, clocked_time=NOW), "clocked_time", "now()",
    ),
}  # fmt: skip
# Of these no row is ever deleted, by the rights of the role.
STAY = (
    "accounts_strategy",
    "accounts_counterparty",
    "trades_feeschedule",
    "auth_user", "accounts_entitlement", "prices_priceoverride", "trades_guard", "trades_limit",
    "trades_accountgroup",
)  # fmt: skip


def test_every_table_that_is_recorded_is_tried() -> None:
    assert sorted(CASES) == sorted(AUDITED)


@pytest.mark.parametrize("table", CASES)
def test_made_changed_and_deleted_are_a_row_each(since: Since, table: str) -> None:
    made, column, value = CASES[table]
    event = AUDITED[table].event
    since()
    row = made()
    assert [r.event for r in since()].count(f"{event}.created") == 1
    with connection.cursor() as cursor:
        if column is not None:
            change = f'UPDATE "{table}" SET "{column}" = {value} WHERE id = %s'
            cursor.execute(change, [row.pk])
            assert [r.event for r in since()] == [f"{event}.changed"]
            cursor.execute(change, [row.pk])
            if value != "now()":
                assert since() == [], "nothing changed"
    since()
    delete = f'DELETE FROM "{table}" WHERE id = %s'
    if table in STAY:
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            connection.cursor().execute(delete, [row.pk])
        assert since() == []
        return
    with connection.cursor() as cursor:
        cursor.execute(delete, [row.pk])
    assert [r.event for r in since()] == [f"{event}.deleted"]


DOORS: dict[str, Callable[[Client, str], Any]] = {
    "token": lambda client, sent: client.post(
        "/api/v1/token/", {"username": "trader", "password": sent}, content_type="application/json"
    ),
    "login": lambda client, sent: client.post("/login/", {"username": "trader", "password": sent}),
    "admin/login": lambda client, sent: client.post(
        "/admin/login/", {"username": "trader", "password": sent}
    ),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_failed_login_is_one_row_and_so_is_one_that_succeeds(since: Since, door: str) -> None:
    make.make_user("trader", is_staff=True)
    since()
    DOORS[door](Client(), "not it")
    (row,) = since()
    assert (row.event, row.object_name, row.after) == ("login.failed", "trader", {"door": door})
    DOORS[door](Client(), "demo")
    (row,) = since()
    assert row.event == ("token.created" if door == "token" else "login.succeeded")


@pytest.mark.parametrize("path", ["/tokens/", "/password/"])
def test_a_wrong_password_of_who_is_logged_in_is_one_row(since: Since, path: str) -> None:
    client = Client()
    client.force_login(make.make_user("trader"))
    since()
    new = "a longer password"
    client.post(path, {"password": "not it", "old_password": "not it", "name": "a",
                       "scope": "read", "hours": "12", "new_password1": new,
                       "new_password2": new})  # fmt: skip
    (row,) = since()
    assert (row.event, row.after) == ("login.failed", {"door": path.strip("/")})


def test_a_new_password_is_one_row(since: Since) -> None:
    client = Client()
    client.force_login(make.make_user("trader"))
    since()
    new = "a longer password"
    sent = {"old_password": "demo", "new_password1": new, "new_password2": new}
    assert client.post("/password/", sent).status_code == 302
    (row,) = since()
    assert (row.event, row.after) == ("user.changed", {"password": "***"})
    assert client.get("/api/v1/accounts/").status_code == 200


def test_the_old_password_is_counted_as_at_every_door() -> None:
    client = Client(REMOTE_ADDR="192.0.2.1")
    client.force_login(make.make_user("trader"))
    sent = {"old_password": "not it", "new_password1": "x", "new_password2": "x"}
    answers = [client.post("/password/", sent).status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]
    right = {**sent, "old_password": "demo"}
    assert client.post("/password/", right).status_code == 429
    # The admin's own page is that page.
    boss = Client(REMOTE_ADDR="192.0.2.1")
    boss.force_login(make.make_user("boss", is_staff=True, is_superuser=True))
    assert boss.get("/admin/password_change/")["Location"] == "/password/"
