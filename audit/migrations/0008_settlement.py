"""Settlement overrides are recorded, as those of sessions are."""

from django.db import migrations

from audit import triggers


def install(apps, schema_editor):
    triggers.install(schema_editor)


class Migration(migrations.Migration):
    dependencies = [("audit", "0007_guards"), ("prices", "0020_settlement")]
    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
