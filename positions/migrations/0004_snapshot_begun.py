from django.db import migrations, models


class Migration(migrations.Migration):
    """A mark is a price here, and no flag."""

    dependencies = [("positions", "0003_snapshot_schedule")]

    operations = [
        migrations.RemoveConstraint("snapshotrun", "snapshot_marked_after_the_end"),
        migrations.RenameField("snapshotrun", "marked_at", "begun_at"),
        migrations.AddConstraint(
            "snapshotrun",
            models.CheckConstraint(
                condition=models.Q(begun_at__gt=models.F("ends_at")),
                name="snapshot_begun_after_the_end",
            ),
        ),
    ]
