"""Closes have moments of their own now, so they are looked at each minute. A schedule that a person
has changed stays as it is."""

from django.db import migrations


def each_minute(apps, schema_editor):
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects
    crontabs = apps.get_model("django_celery_beat", "CrontabSchedule").objects
    every_minute, _ = crontabs.get_or_create(
        minute="*",
        hour="*",
        day_of_month="*",
        month_of_year="*",
        day_of_week="*",
        timezone="America/New_York",
    )
    tasks.filter(
        name="Fetch closes",
        task="prices.tasks.fetch_closes",
        interval__every=10,
        interval__period="minutes",
    ).update(
        interval=None,
        crontab=every_minute,
        expire_seconds=50,
        description="Asks for closes when they are due: at a session's end, up to 5 times more, at"
        " 23:50 and the next morning; and whenever the last five sessions lack some.",
    )


class Migration(migrations.Migration):
    dependencies = [("prices", "0003_close_runs")]
    operations = [migrations.RunPython(each_minute, migrations.RunPython.noop)]
