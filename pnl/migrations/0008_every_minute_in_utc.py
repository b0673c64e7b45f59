"""What runs each minute runs by UTC.

By New York's clock a crontab stands still for the hour that comes twice when summer time ends:
django-celery-beat takes its second pass for one that has run already. What runs once a day stays on
New York's clock, at an hour that no change of the clock touches.
"""

from django.db import migrations
from django.utils import timezone

EVERY_MINUTE = {
    name: "*" for name in ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
}


def move(apps, to):
    crontabs = apps.get_model("django_celery_beat", "CrontabSchedule").objects
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects
    left = crontabs.filter(**EVERY_MINUTE).exclude(timezone=to)
    moved = tasks.filter(crontab__in=left)
    if not moved.exists():
        return
    target = crontabs.filter(**EVERY_MINUTE, timezone=to).first() or crontabs.create(
        **EVERY_MINUTE, timezone=to
    )
    moved.update(crontab=target)
    # A beat that runs reads its schedule again.
    apps.get_model("django_celery_beat", "PeriodicTasks").objects.update_or_create(
        ident=1, defaults={"last_update": timezone.now()}
    )


def to_utc(apps, schema_editor):
    move(apps, "UTC")


def to_new_york(apps, schema_editor):
    move(apps, "America/New_York")


class Migration(migrations.Migration):
    # All apps that have seeded a task for each minute.
    dependencies = [
        ("pnl", "0007_end_of_day"),
        ("positions", "0003_snapshot_schedule"),
        ("prices", "0006_expire_overrides"),
        ("trades", "0009_imports_tidy"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(to_utc, to_new_york)]
