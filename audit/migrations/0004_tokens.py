"""Tokens are recorded: made, taken back, ended by time."""

from django.db import migrations

from audit import triggers


def install(apps, schema_editor):
    triggers.install(schema_editor)


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_actors"), ("accounts", "0003_access_tokens")]
    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
