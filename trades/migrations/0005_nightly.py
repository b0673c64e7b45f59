from django.db import migrations

from kernel.schedules import nightly_task


class Migration(migrations.Migration):
    dependencies = [
        ("trades", "0004_verification"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [
        nightly_task(
            "Nightly verification",
            "eqtrade.tasks.verify",
            at="03:30",
            description="Compares every projection with the current trades.",
        )
    ]
