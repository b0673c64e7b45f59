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
    """As 0022, of versions."""

    dependencies = [("trades", "0022_terms_of_trades")]
    operations = [
        migrations.RunSQL(AT_ONCE, migrations.RunSQL.noop),
        migrations.AddField("tradeversion", "settlement_date", models.DateField(null=True)),
        migrations.AddField("tradeversion", "strategy", of("strategy")),
        migrations.AddField("tradeversion", "counterparty", of("counterparty")),
        migrations.AddField("tradeversion", "order_id", models.CharField(max_length=64, null=True)),
        migrations.AddField("tradeversion", "fees", NumericField(null=True)),
        AddConstraintNotValid(
            "tradeversion",
            models.CheckConstraint(
                condition=Q(settlement_date__gte=F("trade_date")), name="version_settles_after"
            ),
        ),
    ]
