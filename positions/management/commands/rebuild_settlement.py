"""Compute what settles when anew from the ledger."""

from positions.projection import SETTLEMENT
from trades.management.rebuild_command import RebuildCommand


class Command(RebuildCommand):
    help = "Compute what settles when anew from the ledger; bookings go on meanwhile."
    projection = SETTLEMENT
