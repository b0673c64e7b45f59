from django.db import migrations


def seed(apps, schema_editor):
    """Seeded once, then edited in the admin: a `beat_schedule` setting would overwrite edits."""
    crontab, _ = apps.get_model("django_celery_beat", "CrontabSchedule").objects.get_or_create(
        minute="*",
        hour="*",
        day_of_month="*",
        month_of_year="*",
        day_of_week="*",
        timezone="America/New_York",
    )
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name="Keep daily P&L",
        defaults={
            "task": "pnl.tasks.keep_daily",
            "crontab": crontab,
            "queue": "pnl",
            "expire_seconds": 50,
            "description": "Calculates the P&L of sessions whose closes are settled, and restates"
            " what late trades and changed closes have asked for.",
        },
    )


class Migration(migrations.Migration):
    dependencies = [
        ("pnl", "0004_cost_order"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
