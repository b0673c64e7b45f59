from django.db import migrations


def seed(apps, schema_editor):
    """Once a night, New York time, when nobody trades."""
    crontab, _ = apps.get_model("django_celery_beat", "CrontabSchedule").objects.get_or_create(
        minute="55", hour="3", day_of_week="*", day_of_month="*", month_of_year="*",
        timezone="America/New_York",
    )
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name="Old attempts to log in",
        defaults={
            "task": "accounts.tasks.attempts_tidy",
            "crontab": crontab,
            "queue": "default",
            "expire_seconds": 3600,
            "description": "Drops wrong passwords of more than a day ago, and addresses that"
            " nobody logged in from for 30 days.",
        },
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_end_sessions"),
        ("axes", "0010_accessattemptexpiration"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
