"""Celery tasks of the P&L consumers: holdings and activity, and cost."""

from celery import shared_task

from kernel import clock
from pnl.cost_projection import COST
from pnl.projection import ACTIVITY
from pnl.services.intraday import intraday_record
from trades.rebuilding import rebuild
from trades.services.reading import ledger_apply


@shared_task(name="pnl.tasks.apply_ledger")
def apply_ledger(shard: int) -> int:
    return ledger_apply(ACTIVITY, shard).entries


@shared_task(name="pnl.tasks.rebuild")
def rebuild_projection(accounts: list[str] | None = None) -> int:
    """Compute all accounts, or those of these codes, anew; the number of rows that were mended."""
    done = [s.result for s in rebuild(ACTIVITY, accounts=accounts)]
    return sum(r.written + r.removed for r in done)


@shared_task(name="pnl.tasks.record_intraday")
def record_intraday() -> int:
    return intraday_record(now=clock.now())


@shared_task(name="pnl.tasks.apply_cost")
def apply_cost(shard: int) -> int:
    return ledger_apply(COST, shard).entries


@shared_task(name="pnl.tasks.rebuild_cost")
def rebuild_cost(accounts: list[str] | None = None) -> int:
    """Cost of all accounts, or those of these codes, anew; the number of rows that were mended."""
    done = [s.result for s in rebuild(COST, accounts=accounts)]
    return sum(r.written + r.removed for r in done)
