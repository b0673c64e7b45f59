"""Celery tasks of the positions consumer."""

from celery import shared_task

from positions.projection import POSITIONS
from trades.services.reading import ledger_apply


@shared_task(name="positions.tasks.apply_ledger")
def apply_ledger(shard: int) -> int:
    return ledger_apply(POSITIONS, shard).entries
