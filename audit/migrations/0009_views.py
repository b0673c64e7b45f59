"""People's views of the page are recorded: saved, changed, deleted."""

from django.db import migrations

from audit import triggers


def install(apps, schema_editor):
    triggers.install(schema_editor)


class Migration(migrations.Migration):
    dependencies = [("audit", "0008_settlement"), ("blotter", "0003_saved_views")]
    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
