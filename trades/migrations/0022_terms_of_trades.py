from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import PROTECT, F, Q

from kernel.fields import NumericField

AT_ONCE = "SET LOCAL lock_timeout = '5s'"


def of(model: str) -> models.Field:
    return models.ForeignKey(
        f"accounts.{model}", on_delete=PROTECT, null=True, related_name="+", db_index=False
    )


class Migration(migrations.Migration):
    """Settlement date, strategy, counterparty, order id and fees of trades. Columns that are null are
    added without writing the table anew; it is locked for that moment, and who cannot have the lock
    within 5 s leaves everything as it was: migrate again. Trades of before keep null, which reads as
    what the calendar says, and as no fee. Each table has a migration of its own, as in 0013."""

    dependencies = [("accounts", "0010_strategies"), ("trades", "0021_guarded_accounts")]
    operations = [
        migrations.RunSQL(AT_ONCE, migrations.RunSQL.noop),
        migrations.AddField("trade", "settlement_date", models.DateField(null=True)),
        migrations.AddField("trade", "strategy", of("strategy")),
        migrations.AddField("trade", "counterparty", of("counterparty")),
        migrations.AddField("trade", "order_id", models.CharField(max_length=64, null=True)),
        migrations.AddField("trade", "fees", NumericField(null=True)),
        AddConstraintNotValid(
            "trade",
            models.CheckConstraint(
                condition=Q(settlement_date__gte=F("trade_date")), name="trade_settles_after"
            ),
        ),
    ]
