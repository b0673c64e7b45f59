"""Celery tasks of the consumers of positions and of settlement."""

from celery import shared_task

from kernel import clock
from positions.projection import POSITIONS, SETTLEMENT
from positions.snapshots.take import snapshots_work
from trades.ledger.consumer import ledger_apply
from trades.ledger.rebuild import rebuild_to_the_end


@shared_task(name="positions.tasks.apply_ledger")
def apply_ledger(shards: int | list[int]) -> int:
    """Apply what both consumers have unread: they share a queue, and a message."""
    return ledger_apply(apply_ledger.name, [POSITIONS, SETTLEMENT], shards)


@shared_task(name="positions.tasks.rebuild")
def rebuild_projection(accounts: list[str] | None = None) -> int:
    """Compute all accounts, or those of these codes, anew; the number of rows that were mended."""
    return rebuild_to_the_end(POSITIONS, accounts=accounts)


@shared_task(name="positions.tasks.rebuild_settlement")
def rebuild_settlement(accounts: list[str] | None = None) -> int:
    """The same of what settles when."""
    return rebuild_to_the_end(SETTLEMENT, accounts=accounts)


@shared_task(name="positions.tasks.take_snapshots")
def take_snapshots() -> int:
    return len(snapshots_work(now=clock.now()))
