"""Limits are measured each minute."""

from django.db import migrations


def seed(apps, schema_editor):
    """Seeded once, then edited in the admin."""
    crontab, _ = apps.get_model("django_celery_beat", "CrontabSchedule").objects.get_or_create(
        minute="*", hour="*", day_of_month="*", month_of_year="*", day_of_week="*", timezone="UTC"
    )
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name="Watch limits",
        defaults={
            "task": "pnl.tasks.watch_limits",
            "crontab": crontab,
            "queue": "pnl",
            "expire_seconds": 50,
            "description": "Measures every limit, and opens and closes its breach.",
        },
    )


class Migration(migrations.Migration):
    dependencies = [
        ("pnl", "0009_nights_in_utc"),
        ("trades", "0021_guarded_accounts"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
