from django.db import migrations

OLD, NEW = "Keep daily P&L", "End-of-day P&L"


def renamed(old, new):
    def rename(apps, schema_editor):
        tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects
        if not tasks.filter(name=new).exists():
            tasks.filter(name=old, task="pnl.tasks.keep_daily").update(name=new)

    return rename


class Migration(migrations.Migration):
    dependencies = [("pnl", "0006_kept_names")]

    operations = [
        migrations.AlterModelOptions(
            name="dailypnl",
            options={"verbose_name": "end-of-day P&L", "verbose_name_plural": "end-of-day P&L"},
        ),
        migrations.RunPython(renamed(OLD, NEW), renamed(NEW, OLD)),
    ]
