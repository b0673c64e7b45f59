"""Overrides that have expired are marked, and told of, each minute. Seeded once, then edited in the
admin."""

from django.db import migrations


def seed(apps, schema_editor):
    crontabs = apps.get_model("django_celery_beat", "CrontabSchedule").objects
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects
    every_minute, _ = crontabs.get_or_create(
        minute="*",
        hour="*",
        day_of_month="*",
        month_of_year="*",
        day_of_week="*",
        timezone="America/New_York",
    )
    tasks.get_or_create(
        name="Expire price overrides",
        defaults={
            "task": "prices.tasks.expire_overrides",
            "crontab": every_minute,
            "queue": "prices",
            "expire_seconds": 50,
            "description": "Tells whoever watches that a price by hand has expired.",
        },
    )


class Migration(migrations.Migration):
    dependencies = [("prices", "0005_source_state")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
