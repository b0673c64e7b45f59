from django.db import migrations

from kernel.fields import NumericField

AT_ONCE = "SET LOCAL lock_timeout = '5s'"


class Migration(migrations.Migration):
    """A constant default: no row is written anew, and those of before have paid nothing."""

    dependencies = [("pnl", "0011_corporate_actions")]
    operations = [
        migrations.RunSQL(AT_ONCE, migrations.RunSQL.noop),
        migrations.AddField("dailyactivity", "fees", NumericField(default=0, db_default=0)),
    ]
