"""Fee schedules are recorded: their rates, and the accounts that they are charged in."""

from django.db import migrations

from audit import triggers


def install(apps, schema_editor):
    triggers.install(schema_editor)


class Migration(migrations.Migration):
    dependencies = [("audit", "0010_strategies"), ("trades", "0028_fee_schedules")]
    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
