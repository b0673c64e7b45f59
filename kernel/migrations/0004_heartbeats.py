from django.db import migrations


def seed(apps, schema_editor):
    """Seeded once, then edited in the admin: a `beat_schedule` setting would overwrite edits."""
    interval, _ = apps.get_model("django_celery_beat", "IntervalSchedule").objects.get_or_create(
        every=5, period="minutes"
    )
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name="Heartbeats",
        defaults={
            "task": "eqtrade.tasks.heartbeats",
            "interval": interval,
            # Its worker has a way out.
            "queue": "prices",
            "expire_seconds": 240,
            "description": "Calls the HEARTBEAT_…_URL of each job that has done what it should.",
        },
    )


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0003_confirmation"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
