"""Celery tasks of the positions consumer."""

from celery import shared_task

from positions.projection import POSITIONS
from trades.rebuilding import rebuild
from trades.services.reading import ledger_apply


@shared_task(name="positions.tasks.apply_ledger")
def apply_ledger(shard: int) -> int:
    return ledger_apply(POSITIONS, shard).entries


@shared_task(name="positions.tasks.rebuild")
def rebuild_projection(accounts: list[str] | None = None) -> int:
    """Compute all accounts, or those of these codes, anew; the number of rows that were mended."""
    done = [s.result for s in rebuild(POSITIONS, accounts=accounts)]
    return sum(r.written + r.removed for r in done)
