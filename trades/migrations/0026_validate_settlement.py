from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """The constraints of 0022 and 0023 hold for the rows that were there: a read of each table under
    a lock that lets everybody read and write."""

    atomic = False
    dependencies = [("trades", "0025_version_fees")]
    operations = [
        ValidateConstraint("trade", "trade_settles_after"),
        ValidateConstraint("tradeversion", "version_settles_after"),
    ]
