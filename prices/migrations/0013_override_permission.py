"""Overrides and closes by hand ask for a permission of their own. Who may add overrides today, as a
user or by a group, gets it; who may enter closes alone does not."""

from django.db import migrations

NAME = "May set prices by hand: overrides and closes"


def grant(apps, schema_editor):
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    kind, _ = ContentType.objects.get_or_create(app_label="prices", model="priceoverride")
    override, _ = Permission.objects.get_or_create(
        content_type=kind, codename="override", defaults={"name": NAME}
    )
    for had in Permission.objects.filter(content_type=kind, codename="add_priceoverride"):
        override.user_set.add(*had.user_set.all())
        override.group_set.add(*had.group_set.all())


class Migration(migrations.Migration):
    dependencies = [
        ("prices", "0012_effective_close"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [
        migrations.AlterModelOptions(
            name="priceoverride",
            options={"ordering": ["-id"], "permissions": [("override", NAME)]},
        ),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
