from django.db import migrations


def seed(apps, schema_editor):
    """Seeded once, then edited in the admin: a `beat_schedule` setting would overwrite edits."""
    interval, _ = apps.get_model("django_celery_beat", "IntervalSchedule").objects.get_or_create(
        every=3, period="seconds"
    )
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name="Ledger sweep",
        defaults={
            "task": "trades.tasks.sweep",
            "interval": interval,
            "queue": "default",
            "expire_seconds": 10,
            "description": "Wakes every consumer of the ledger that is behind.",
        },
    )


class Migration(migrations.Migration):
    dependencies = [
        ("trades", "0001_initial"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
