"""Celery tasks of the ledger."""

from celery import shared_task

from trades.services.reading import ledger_sweep


@shared_task(name="trades.tasks.sweep")
def sweep() -> int:
    return ledger_sweep()
