"""Strategies and counterparties are recorded: added, renamed, switched off."""

from django.db import migrations

from audit import triggers


def install(apps, schema_editor):
    triggers.install(schema_editor)


class Migration(migrations.Migration):
    dependencies = [("audit", "0009_views"), ("accounts", "0010_strategies")]
    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
