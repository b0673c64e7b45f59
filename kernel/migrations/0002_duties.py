"""Changing schedules asks for a permission of its own. Who may change them today gets it."""

from django.db import migrations, models

NAME = "May change when tasks run, and whether"


def grant(apps, schema_editor):
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    kind, _ = ContentType.objects.get_or_create(app_label="kernel", model="duties")
    schedules, _ = Permission.objects.get_or_create(
        content_type=kind, codename="schedules", defaults={"name": NAME}
    )
    for had in Permission.objects.filter(
        content_type__app_label="django_celery_beat", codename="change_periodictask"
    ):
        schedules.user_set.add(*had.user_set.all())
        schedules.group_set.add(*had.group_set.all())


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0001_recorded_at"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [
        migrations.CreateModel(
            name="Duties",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
            ],
            options={
                "permissions": [("schedules", NAME)],
                "managed": False,
                "default_permissions": (),
            },
        ),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
