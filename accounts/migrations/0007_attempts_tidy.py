from django.db import migrations

from kernel.schedules import nightly_task


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_end_sessions"),
        ("axes", "0010_accessattemptexpiration"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [
        nightly_task(
            "Old attempts to log in",
            "accounts.tasks.attempts_tidy",
            at="03:55",
            description="Drops wrong passwords of more than a day ago, and addresses that"
            " nobody logged in from for 30 days.",
        )
    ]
