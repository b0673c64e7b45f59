"""Compute holdings and daily activity anew from the ledger."""

from pnl.activity.projection import ACTIVITY
from trades.management.rebuild_command import RebuildCommand


class Command(RebuildCommand):
    help = "Compute holdings and daily activity anew from the ledger; bookings go on meanwhile."
    projection = ACTIVITY
