"""Declare a restore into another cluster: readers go on in a new epoch."""

from typing import Any

from django.core.management.base import BaseCommand

from trades.ledger.epoch import ledger_restored


class Command(BaseCommand):
    help = (
        "Run once after the database was restored into another cluster: transaction ids start"
        " over there, so the ledger goes on in a new epoch."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        epoch = ledger_restored()
        if epoch is None:
            self.stdout.write("This cluster is that of the latest epoch; nothing to do.")
        else:
            self.stdout.write(f"Epoch {epoch} begins. Readers go on by themselves.")
