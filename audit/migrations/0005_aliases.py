"""Former tickers are recorded: entered, changed, taken away."""

from django.db import migrations

from audit import triggers


def install(apps, schema_editor):
    triggers.install(schema_editor)


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_tokens"), ("prices", "0015_names_over_time")]
    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
