"""Celery tasks of the P&L consumer."""

from celery import shared_task

from pnl.projection import Activity
from trades.services.reading import ledger_apply


@shared_task(name="pnl.tasks.apply_ledger")
def apply_ledger(shard: int) -> int:
    return ledger_apply(Activity(), shard).entries
