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
        name="Take snapshots",
        defaults={
            "task": "positions.tasks.take_snapshots",
            "crontab": crontab,
            "queue": "default",
            "expire_seconds": 50,
            "description": "Marks sessions that have ended and takes their position snapshots as"
            " soon as their closes are settled; missed ones, too.",
        },
    )


class Migration(migrations.Migration):
    dependencies = [
        ("positions", "0002_snapshots"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
