"""Tasks that migrations give to beat. Seeded once, then edited in the admin: a `beat_schedule`
setting would overwrite edits at each start.

Frozen: migrations that have run call it. What is to be seeded otherwise gets a function of its own.
"""

from typing import Any

from django.db import migrations


def nightly_task(
    name: str, task: str, *, at: str, description: str, timezone: str = "America/New_York"
) -> migrations.RunPython:
    """The operation that has beat start `task` once a night at `at` (HH:MM), when nobody trades. A
    task of that name that is there stays as it is, and going back leaves it: it may have been
    edited. New ones are by UTC: those of New York's clock were moved later."""
    hour, minute = (str(int(part)) for part in at.split(":"))

    def seed(apps: Any, schema_editor: Any) -> None:
        crontab, _ = apps.get_model("django_celery_beat", "CrontabSchedule").objects.get_or_create(
            minute=minute, hour=hour, day_of_week="*", day_of_month="*", month_of_year="*",
            timezone=timezone,
        )  # fmt: skip
        apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
            name=name,
            defaults={
                "task": task,
                "crontab": crontab,
                "queue": "default",
                "expire_seconds": 3600,
                "description": description,
            },
        )

    return migrations.RunPython(seed, migrations.RunPython.noop)
