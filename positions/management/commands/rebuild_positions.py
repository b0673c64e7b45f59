"""Compute positions anew from the ledger."""

from positions.projection import POSITIONS
from trades.management.rebuild_command import RebuildCommand


class Command(RebuildCommand):
    help = "Compute positions anew from the ledger; bookings go on meanwhile."
    projection = POSITIONS
