from django.db import migrations, models
from django.db.models import PROTECT

from kernel.fields import NumericField

AT_ONCE = "SET LOCAL lock_timeout = '5s'"


class Migration(migrations.Migration):
    """As 0022, of entries. The default is a constant, which PostgreSQL keeps beside the table: no
    entry is written anew."""

    dependencies = [("accounts", "0010_strategies"), ("trades", "0023_terms_of_versions")]
    operations = [
        migrations.RunSQL(AT_ONCE, migrations.RunSQL.noop),
        migrations.AddField("ledgerentry", "settlement_date", models.DateField(null=True)),
        migrations.AddField(
            "ledgerentry",
            "strategy",
            models.ForeignKey(
                "accounts.strategy", on_delete=PROTECT, null=True, related_name="+", db_index=False
            ),
        ),
        migrations.AddField("ledgerentry", "fees", NumericField(default=0, db_default=0)),
    ]
