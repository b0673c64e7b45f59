"""The schedules that a new database has, over the hours in which New York's clock is changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django_celery_beat.models import PeriodicTask

from eqtrade.celery import app

pytestmark = pytest.mark.django_db

# Summer time ends and begins: the hour that comes twice, and the one that is left out, lie within.
AUTUMN = datetime(2026, 11, 1, 4, 30, tzinfo=UTC)
SPRING = datetime(2027, 3, 14, 5, 30, tzinfo=UTC)
LOOK = timedelta(seconds=5)


def runs(schedule: Any, begin: datetime, hours: int, look: timedelta = LOOK) -> list[datetime]:
    """When a beat that looks so often starts a task of this schedule."""
    at, last, found = begin, begin - timedelta(minutes=1), []
    schedule.app = app
    schedule.nowfun = lambda: at.astimezone(getattr(schedule, "tz", UTC))
    while at < begin + timedelta(hours=hours):
        if schedule.is_due(last)[0]:
            found.append(at)
            last = at
        at += look
    return found


@pytest.mark.parametrize("begin", [AUTUMN, SPRING], ids=["autumn", "spring"])
def test_what_runs_each_minute_runs_each_minute_when_the_clock_is_changed(begin: datetime) -> None:
    tasks = PeriodicTask.objects.filter(crontab__minute="*", crontab__hour="*")
    assert len(tasks) >= 5
    for schedule in {task.crontab_id: task.schedule for task in tasks}.values():
        assert len(runs(schedule, begin, 4)) == 240


def test_every_schedule_is_an_interval_or_by_utc() -> None:
    tasks = PeriodicTask.objects.exclude(crontab=None)
    assert [each.name for each in tasks if str(each.crontab.timezone) != "UTC"] == []
    assert not PeriodicTask.objects.exclude(solar=None, clocked=None).exists()


@pytest.mark.parametrize("begin", [AUTUMN, SPRING], ids=["autumn", "spring"])
def test_what_runs_once_a_night_runs_once_when_the_clock_is_changed(begin: datetime) -> None:
    tasks = PeriodicTask.objects.exclude(crontab=None).exclude(crontab__hour="*")
    assert len(tasks) >= 2
    for task in tasks:
        # A day of looks each 5 s would outlast the database's patience with a test's transaction.
        found = runs(task.schedule, begin - timedelta(hours=3), 24, timedelta(minutes=1))
        assert len(found) == 1, task.name
