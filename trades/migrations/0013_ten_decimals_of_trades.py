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
        IF EXISTS (SELECT FROM trades_trade WHERE min_scale(quantity) > 6 OR min_scale(price) > 6)
        THEN RAISE EXCEPTION 'eqtrade: there are trades of more than 6 decimals';
        END IF;
    END $$
"""


class Migration(migrations.Migration):
    """Quantities and prices of up to 10 decimals, and a price of 0 with a note. A precision could
    not be widened without writing the table anew; it goes, and constraints say the range. They hold
    for new rows at once, and of those that exist in 0016, which locks nobody out. Each table has a
    transaction of its own: locks of two at once could meet a query that takes them the other way
    round."""

    dependencies = [("trades", "0012_rejected_further")]
    operations = [
        migrations.RemoveConstraint("trade", "trade_quantity_range"),
        migrations.RemoveConstraint("trade", "trade_price_range"),
        migrations.AlterField("trade", "quantity", NumericField()),
        migrations.AlterField("trade", "price", NumericField()),
        AddConstraintNotValid(
            "trade",
            models.CheckConstraint(
                condition=Q(quantity__gt=0)
                & Q(quantity__lte=MOST)
                & Q(LessThanOrEqual(DecimalsNeeded("quantity"), 10)),
                name="trade_quantity_range",
            ),
        ),
        AddConstraintNotValid(
            "trade",
            models.CheckConstraint(
                condition=(Q(price__gt=0) | (Q(price=0) & ~Q(note="")))
                & Q(price__lte=MOST)
                & Q(LessThanOrEqual(DecimalsNeeded("price"), 10)),
                name="trade_price_range",
            ),
        ),
        migrations.RunSQL(migrations.RunSQL.noop, NOTHING_FINER),
    ]
