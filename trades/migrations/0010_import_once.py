from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """An upload that is repeated is taken once. There are few imports, one a file, so the index
    behind the constraint is built in a moment."""

    dependencies = [
        ("trades", "0009_imports_tidy"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AddField("import", "client_import_id", models.UUIDField(null=True)),
        migrations.AddField(
            "import",
            "upload_hash",
            # The database keeps the default, for code of the version before that runs beside it.
            models.CharField(blank=True, default="", db_default="", max_length=64),
        ),
        migrations.AddConstraint(
            "import",
            models.UniqueConstraint(fields=("user", "client_import_id"), name="import_once"),
        ),
    ]
