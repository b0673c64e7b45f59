"""Recompute every projection from the current trades; list each break; exit 1 if there is one."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from eqtrade.verify import verify


class Command(BaseCommand):
    help = "Compare ledger, positions and P&L activity with the current trades."

    def handle(self, *args: Any, **options: Any) -> None:
        breaks = verify()
        for found in breaks:
            self.stdout.write(str(found))
        if breaks:
            self.stderr.write(f"{len(breaks)} breaks")
            sys.exit(1)
        self.stdout.write("verified: no breaks")
