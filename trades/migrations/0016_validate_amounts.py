from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """The constraints of 0013 to 0015 hold for the rows that were there. Each is a read of its table
    under a lock that lets everybody read and write; the ledger's readers wait until it ends."""

    atomic = False
    dependencies = [("trades", "0015_entries_of_price_zero")]
    operations = [
        ValidateConstraint("trade", "trade_quantity_range"),
        ValidateConstraint("trade", "trade_price_range"),
        ValidateConstraint("tradeversion", "version_quantity_range"),
        ValidateConstraint("tradeversion", "version_price_range"),
        ValidateConstraint("ledgerentry", "entry_signed_alike"),
    ]
