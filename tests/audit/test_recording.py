"""Whatever is recorded is one row, with who, from where, in which request, before and after."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from accounts.models import Entitlement
from audit.context import acting
from audit.models import Record, Refusal
from audit.recording import hashed_unless_known, record, refused
from kernel import clock
from tests import factories as make

pytestmark = pytest.mark.django_db


def after(last: int) -> list[Record]:
    return list(Record.objects.filter(pk__gt=last).order_by("pk"))


def newest() -> int:
    return Record.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def test_a_change_in_the_admin(client: Client, boss: User) -> None:
    trader, account = make.make_user(), make.make_account()
    make.entitle(trader, account)
    seen = newest()
    right = Entitlement.objects.get()
    sent = {"user": trader.pk, "account": account.pk, "can_view": "on", "can_book": "on"}
    answer = client.post(f"/admin/accounts/entitlement/{right.pk}/change/", sent)
    assert answer.status_code == 302
    (row,) = after(seen)
    assert (row.event, row.object_name) == ("entitlement.changed", "trader in Test1")
    assert (row.before, row.after) == ({"can_book": False}, {"can_book": True})
    assert (row.actor, row.actor_name) == (boss.pk, "boss")
    assert (row.address, row.request_id, row.source) == ("192.0.2.7", "abc123", "admin")


def test_no_password_is_kept(boss: User) -> None:
    seen = newest()
    boss.set_password("another, long enough")
    boss.save()
    (row,) = after(seen)
    assert (row.event, row.before, row.after) == (
        "user.changed",
        {"password": "***"},
        {"password": "***"},
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(before::text || after::text, '') FROM audit_record")
        assert "md5" not in (cursor.fetchone()[0] or "")


def test_a_task_says_what_it_is(boss: User) -> None:
    seen = newest()
    with acting("celery: prices.tasks.sync"):
        make.make_instrument("IBM")
    (row,) = after(seen)
    assert (row.actor, row.source, row.object_name) == (None, "celery: prices.tasks.sync", "IBM")


def test_one_request_is_not_taken_for_another(client: Client, boss: User) -> None:
    """The setting stays in a transaction: it is told anew before each statement."""
    client.get("/admin/")
    seen = newest()
    with acting("first", actor=boss.pk, name="boss"):
        make.make_account("A")
    make.make_account("B")
    first, second = after(seen)
    assert (first.actor_name, second.actor_name) == ("boss", "")


def test_what_no_table_shows() -> None:
    user = make.make_user()
    seen = newest()
    record("login.failed", about=hashed_unless_known("hunter2\x00", known=False), after={"n": 1})
    record("login.succeeded", actor=user, object_id=user.pk, about="trader")
    failed, passed = after(seen)
    assert failed.object_name.startswith("unknown:")
    assert "hunter2" not in json.dumps(failed.object_name)
    assert (passed.actor, passed.actor_name) == (user.pk, "trader")


@pytest.mark.parametrize("name", ["\ud800", "x" * 1000, "\x00", ""])
def test_any_name_can_be_recorded(name: str) -> None:
    record("login.failed", about=name)


def test_refusals_are_added_up_by_minute() -> None:
    now = clock.now()
    for name in ("trader", "trader", "unknown:12"):
        refused(door="token", name=name, now=now)
    assert sorted(Refusal.objects.values_list("name", "count")) == [
        ("trader", 2),
        ("unknown:12", 1),
    ]


def test_booking_tells_nobody(django_assert_num_queries: Any) -> None:
    """What no trigger records costs no statement."""
    user = make.make_user()
    with django_assert_num_queries(1):
        User.objects.filter(pk=user.pk).exists()
    with django_assert_num_queries(1):
        Refusal.objects.create(minute=clock.now(), door="login", name="x")
