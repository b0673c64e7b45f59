"""Celery tasks of the P&L consumer."""

from celery import shared_task

from pnl.projection import ACTIVITY
from trades.services.reading import ledger_apply


@shared_task(name="pnl.tasks.apply_ledger")
def apply_ledger(shard: int) -> int:
    return ledger_apply(ACTIVITY, shard).entries
