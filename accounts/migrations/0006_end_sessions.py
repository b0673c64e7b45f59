from django.db import migrations


class Migration(migrations.Migration):
    # Kept under the keys that browsers have: all log in once more.
    dependencies = [("accounts", "0005_keep_what_is_referred_to"), ("sessions", "0001_initial")]
    operations = [migrations.RunSQL("TRUNCATE django_session", migrations.RunSQL.noop)]
