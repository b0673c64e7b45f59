"""Compute holdings and activity by strategy anew from the ledger."""

from pnl.strategies.projection import STRATEGY
from trades.management.rebuild_command import RebuildCommand


class Command(RebuildCommand):
    help = "Compute holdings and activity by strategy anew; bookings go on meanwhile."
    projection = STRATEGY
