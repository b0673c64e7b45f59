"""When prices are asked for. Seeded once, then edited in the admin: a `beat_schedule` setting
would overwrite edits at each start. A task that waited longer than until the next one is dropped.
"""

from django.db import migrations


def seed(apps, schema_editor):
    crontabs = apps.get_model("django_celery_beat", "CrontabSchedule").objects
    intervals = apps.get_model("django_celery_beat", "IntervalSchedule").objects
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects
    every_minute, _ = crontabs.get_or_create(
        minute="*",
        hour="*",
        day_of_month="*",
        month_of_year="*",
        day_of_week="*",
        timezone="America/New_York",
    )
    every_second, _ = intervals.get_or_create(every=1, period="seconds")
    every_ten_minutes, _ = intervals.get_or_create(every=10, period="minutes")
    tasks.get_or_create(
        name="Refresh quotes",
        defaults={
            "task": "prices.tasks.refresh_quotes",
            "crontab": every_minute,
            "queue": "prices",
            "expire_seconds": 50,
            "description": "Asks the price source for the latest quotes while the exchange is open.",
        },
    )
    tasks.get_or_create(
        name="Simulated ticks",
        defaults={
            "task": "prices.tasks.tick_simulated",
            "interval": every_second,
            "queue": "prices",
            "expire_seconds": 1,
            "description": "Moves simulated prices. Does nothing with any other source.",
        },
    )
    tasks.get_or_create(
        name="Fetch closes",
        defaults={
            "task": "prices.tasks.fetch_closes",
            "interval": every_ten_minutes,
            "queue": "prices",
            "expire_seconds": 590,
            "description": "Asks for the closes that the last five completed sessions lack.",
        },
    )


class Migration(migrations.Migration):
    dependencies = [
        ("prices", "0001_initial"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    # Going back leaves the rows: they may have been edited, and without the app they name nothing.
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
