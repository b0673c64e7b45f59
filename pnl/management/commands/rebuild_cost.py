"""Compute average cost anew from the ledger."""

from pnl.cost.projection import COST
from trades.management.rebuild_command import RebuildCommand


class Command(RebuildCommand):
    help = "Compute average cost and realized P&L anew from the ledger; bookings go on meanwhile."
    projection = COST
