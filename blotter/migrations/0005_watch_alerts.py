"""Alerts are judged each minute."""

from django.db import migrations


def seed(apps, schema_editor):
    """Seeded once, then edited in the admin."""
    crontab, _ = apps.get_model("django_celery_beat", "CrontabSchedule").objects.get_or_create(
        minute="*", hour="*", day_of_month="*", month_of_year="*", day_of_week="*", timezone="UTC"
    )
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name="Watch alerts",
        defaults={
            "task": "blotter.tasks.watch_alerts",
            "crontab": crontab,
            "queue": "pnl",
            "expire_seconds": 50,
            "description": "Judges every user's alerts; those that fire are told.",
        },
    )


class Migration(migrations.Migration):
    dependencies = [
        ("blotter", "0004_alerts"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
