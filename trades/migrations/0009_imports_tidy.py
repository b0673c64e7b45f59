from django.db import migrations

from kernel.schedules import nightly_task


class Migration(migrations.Migration):
    dependencies = [
        ("trades", "0008_trade_by_user"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [
        nightly_task(
            "Old files of imports",
            "trades.tasks.imports_tidy",
            at="03:50",
            description="Drops uploaded files of imports that ended IMPORT_KEEP_DAYS ago.",
        )
    ]
