"""What runs once a night runs by UTC, as what runs each minute does: no schedule of ours then meets
an hour that comes twice or not at all. Three at night in New York becomes seven in UTC: in summer
the same moment, in winter an hour earlier. One that a person has moved stays where it is.
"""

from django.db import migrations
from django.utils import timezone

NIGHTLY = (
    "eqtrade.tasks.verify",
    "trades.tasks.imports_tidy",
    "accounts.tasks.attempts_tidy",
    "accounts.tasks.credentials_tidy",
)
NEW_YORK = {"hour": "3", "timezone": "America/New_York"}
UTC = {"hour": "7", "timezone": "UTC"}
EVERY_DAY = {name: "*" for name in ("day_of_week", "day_of_month", "month_of_year")}


def move(apps, left, to):
    crontabs = apps.get_model("django_celery_beat", "CrontabSchedule").objects
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects
    changed = 0
    for crontab in crontabs.filter(**EVERY_DAY, **left):
        moved = tasks.filter(crontab=crontab, task__in=NIGHTLY)
        if moved.exists():
            when = {"minute": crontab.minute, **EVERY_DAY, **to}
            changed += moved.update(crontab=crontabs.filter(**when).first() or crontabs.create(**when))
    if changed:
        # A beat that runs reads its schedule again.
        apps.get_model("django_celery_beat", "PeriodicTasks").objects.update_or_create(
            ident=1, defaults={"last_update": timezone.now()}
        )


def to_utc(apps, schema_editor):
    move(apps, NEW_YORK, UTC)


def to_new_york(apps, schema_editor):
    move(apps, UTC, NEW_YORK)


class Migration(migrations.Migration):
    dependencies = [
        ("pnl", "0008_every_minute_in_utc"),
        ("accounts", "0007_attempts_tidy"),
        ("trades", "0009_imports_tidy"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(to_utc, to_new_york)]
