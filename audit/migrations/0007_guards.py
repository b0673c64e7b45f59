"""Guards are recorded: set, changed, switched off."""

from django.db import migrations

from audit import triggers


def install(apps, schema_editor):
    triggers.install(schema_editor)


class Migration(migrations.Migration):
    dependencies = [("audit", "0006_second_factors"), ("trades", "0021_guarded_accounts")]
    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
