from django.db import migrations


def seed(apps, schema_editor):
    """Once a night, New York time, when nobody trades."""
    crontab, _ = apps.get_model("django_celery_beat", "CrontabSchedule").objects.get_or_create(
        minute="50", hour="3", day_of_week="*", day_of_month="*", month_of_year="*",
        timezone="America/New_York",
    )
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name="Old files of imports",
        defaults={
            "task": "trades.tasks.imports_tidy",
            "crontab": crontab,
            "queue": "default",
            "expire_seconds": 3600,
            "description": "Drops uploaded files of imports that ended IMPORT_KEEP_DAYS ago.",
        },
    )


class Migration(migrations.Migration):
    dependencies = [
        ("trades", "0008_trade_by_user"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
