from decimal import Decimal

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import Q
from django.db.models.lookups import LessThanOrEqual

from kernel.fields import DecimalsNeeded, NumericField

MOST = Decimal(1_000_000_000)
# Undoing this writes the table anew, and would round what has become finer.
NOTHING_FINER = """
    DO $$ BEGIN
        IF EXISTS (SELECT FROM trades_tradeversion
                    WHERE min_scale(quantity) > 6 OR min_scale(price) > 6)
        THEN RAISE EXCEPTION 'eqtrade: there are versions of more than 6 decimals';
        END IF;
    END $$
"""


class Migration(migrations.Migration):
    """What 0013 does to trades, to their versions."""

    dependencies = [("trades", "0013_ten_decimals_of_trades")]
    operations = [
        migrations.RemoveConstraint("tradeversion", "version_quantity_range"),
        migrations.RemoveConstraint("tradeversion", "version_price_range"),
        migrations.AlterField("tradeversion", "quantity", NumericField()),
        migrations.AlterField("tradeversion", "price", NumericField()),
        AddConstraintNotValid(
            "tradeversion",
            models.CheckConstraint(
                condition=Q(quantity__gt=0)
                & Q(quantity__lte=MOST)
                & Q(LessThanOrEqual(DecimalsNeeded("quantity"), 10)),
                name="version_quantity_range",
            ),
        ),
        AddConstraintNotValid(
            "tradeversion",
            models.CheckConstraint(
                condition=(Q(price__gt=0) | (Q(price=0) & ~Q(note="")))
                & Q(price__lte=MOST)
                & Q(LessThanOrEqual(DecimalsNeeded("price"), 10)),
                name="version_price_range",
            ),
        ),
        migrations.RunSQL(migrations.RunSQL.noop, NOTHING_FINER),
    ]
