"""Who may change schedules says when and whether: not which task, nor with what."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from tests import factories as make

LIST = "/admin/django_celery_beat/periodictask/"


@pytest.fixture
def task(db: None) -> PeriodicTask:
    found: PeriodicTask = PeriodicTask.objects.get(name="Fetch closes")
    return found


def client_with(*codenames: str) -> Client:
    user = make.make_user("ops", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def form(of: PeriodicTask, **changed: Any) -> dict[str, Any]:
    when = {"interval": of.interval_id, "crontab": of.crontab_id}
    return {**{k: v for k, v in when.items() if v}, "enabled": "on", **changed}


def test_when_and_whether(task: PeriodicTask) -> None:
    client = client_with("schedules")
    hourly = IntervalSchedule.objects.create(every=1, period="hours")
    sent = form(task, interval=hourly.pk)
    sent.pop("crontab", None)
    assert client.post(f"{LIST}{task.pk}/change/", sent).status_code == 302
    sent.pop("enabled")
    assert client.post(f"{LIST}{task.pk}/change/", sent).status_code == 302
    task.refresh_from_db()
    assert (task.interval, task.enabled) == (hourly, False)


@pytest.mark.parametrize("is_superuser", [False, True])
def test_not_which_task_with_which_arguments(task: PeriodicTask, is_superuser: bool) -> None:
    client = client_with("schedules", "change_periodictask", "add_periodictask")
    User.objects.filter(username="ops").update(is_superuser=is_superuser)
    what = {
        "name": "Mine", "task": "trades.tasks.verify_nightly", "regtask": "trades.tasks.sweep",
        "args": json.dumps([1]), "kwargs": json.dumps({"a": 1}), "queue": "imports",
        "exchange": "x", "routing_key": "x", "headers": json.dumps({"a": 1}), "priority": "9",
        "expire_seconds": "1", "description": "mine",
    }  # fmt: skip
    before = {name: getattr(task, name) for name in (*what, "expires") if name != "regtask"}
    assert client.post(f"{LIST}{task.pk}/change/", form(task, **what)).status_code == 302
    task.refresh_from_db()
    assert {name: getattr(task, name) for name in before} == before
    assert client.post(f"{LIST}add/", form(task, **what)).status_code == 403
    assert client.post(f"{LIST}{task.pk}/delete/", {"post": "yes"}).status_code == 403
    assert PeriodicTask.objects.filter(pk=task.pk).exists()


def test_a_schedule_in_use_is_not_deleted_with_its_tasks(task: PeriodicTask) -> None:
    client = client_with("schedules", "delete_intervalschedule")
    path = (
        f"/admin/django_celery_beat/intervalschedule/{IntervalSchedule.objects.first().pk}/delete/"
    )
    assert client.post(path, {"post": "yes"}).status_code == 403


def test_who_may_only_look_switches_nothing_off(task: PeriodicTask) -> None:
    client = client_with("view_periodictask")
    for action in ("disable_tasks", "toggle_tasks", "run_tasks"):
        client.post(LIST, {"action": action, "_selected_action": [task.pk]})
    task.refresh_from_db()
    assert task.enabled
    assert "disable_tasks" not in client.get(LIST).content.decode()


def test_who_may_change_them_switches_off(task: PeriodicTask) -> None:
    client = client_with("schedules")
    client.post(LIST, {"action": "disable_tasks", "_selected_action": [task.pk]})
    task.refresh_from_db()
    assert not task.enabled
