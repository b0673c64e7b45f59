from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Who booked what, for the admin's search. Built without a lock."""

    atomic = False
    dependencies = [("trades", "0007_imports")]
    operations = [
        AddIndexConcurrently(
            "trade",
            models.Index(
                fields=["account", "booked_by", "status", "-id"],
                include=["trade_date"],
                name="trade_by_user",
            ),
        ),
    ]
