from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_used_codes")]
    operations = [
        migrations.AddField(
            model_name="account",
            name="guards_version",
            field=models.BigIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="account",
            name="is_limited",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
    ]
