from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Indexes of lists: with the status, so that a rare one is found as fast as any. Built beside
    bookings, without a lock; the old ones go when the new ones are there."""

    atomic = False
    dependencies = [("trades", "0005_nightly")]
    operations = [
        AddIndexConcurrently(
            "trade", models.Index(fields=["account", "status", "-id"], name="trade_by_status")
        ),
        AddIndexConcurrently(
            "trade",
            models.Index(fields=["account", "trade_date", "status", "-id"], name="trade_by_day"),
        ),
        AddIndexConcurrently(
            "trade",
            models.Index(
                fields=["account", "instrument", "status", "-id"],
                include=["trade_date"],
                name="trade_by_ticker",
            ),
        ),
        AddIndexConcurrently(
            "trade",
            models.Index(
                fields=["request_group", "-id"],
                condition=models.Q(request_group__isnull=False),
                name="trade_in_group",
            ),
        ),
        RemoveIndexConcurrently("trade", "trade_by_account"),
        RemoveIndexConcurrently("trade", "trade_by_date"),
        RemoveIndexConcurrently("trade", "trade_by_instrument"),
        RemoveIndexConcurrently("trade", "trade_by_group"),
    ]
