from django.db import migrations

from kernel.fields import NumericField

AT_ONCE = "SET LOCAL lock_timeout = '5s'"


class Migration(migrations.Migration):
    """A short of little worth may cost more than it brought in: its cost is then positive. Fees of
    end-of-day P&L have a constant default: no row is written anew."""

    dependencies = [("pnl", "0012_fees")]
    operations = [
        migrations.RunSQL(AT_ONCE, migrations.RunSQL.noop),
        migrations.AddField("dailypnl", "fees", NumericField(default=0, db_default=0)),
        migrations.RemoveConstraint("cost", "cost_signed_as_quantity"),
    ]
