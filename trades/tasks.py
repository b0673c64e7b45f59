"""Celery tasks of the ledger and of imports."""

from uuid import UUID

from celery import shared_task

from kernel import clock
from trades.imports.lease import imports_sweep
from trades.imports.retention import imports_tidy as tidy
from trades.imports.run import import_run as run
from trades.ledger.consumer import ledger_sweep


@shared_task(name="trades.tasks.sweep")
def sweep() -> int:
    """Wake readers and imports that are behind; the number of those that were."""
    return ledger_sweep() + imports_sweep()


@shared_task(name="trades.tasks.import_run")
def import_run(import_id: str) -> None:
    run(UUID(import_id), takes_over=True)


@shared_task(name="trades.tasks.imports_tidy")
def imports_tidy() -> int:
    return tidy(now=clock.now())
