from django.db import migrations, models


class Migration(migrations.Migration):
    """Rejected rows beyond the first are counted. The database keeps the default, for code of the
    version before that runs beside it."""

    dependencies = [("trades", "0011_keep_what_is_referred_to")]
    operations = [
        migrations.AddField(
            "import", "rejected_further", models.JSONField(db_default={}, default=dict)
        ),
    ]
