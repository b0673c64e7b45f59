"""Celery tasks of the P&L consumers: holdings and activity, cost, and strategies."""

from celery import shared_task

from kernel import clock
from pnl.activity.legs import work_do, work_waits
from pnl.activity.projection import ACTIVITY
from pnl.cost.projection import COST
from pnl.daily.finalize import daily_finalize
from pnl.daily.restate import Turn, restate_work, restates_wait
from pnl.hooks import entries_applied
from pnl.intraday.record import intraday_record
from pnl.limits import WATCH, limits_due, limits_watch
from pnl.strategies.projection import STRATEGY
from pnl.watching import AFTER_SECONDS, EXPIRES_SECONDS, begun
from trades.ledger.consumer import ledger_apply
from trades.ledger.rebuild import rebuild_to_the_end

RESTATE_EXPIRES_SECONDS = 60


@shared_task(name="pnl.tasks.apply_ledger")
def apply_ledger(shards: int | list[int]) -> int:
    """Apply what these consumers have unread, and what was decided about corporate actions: they
    share a queue, and a message."""
    entries = ledger_apply(apply_ledger.name, [ACTIVITY, COST, STRATEGY], shards)
    if work_waits():
        work_do()
    if restates_wait():
        restate.apply_async(expires=RESTATE_EXPIRES_SECONDS)
    if entries:
        _ask_limits()
        entries_applied()
    return entries


@shared_task(name="pnl.tasks.watch_limits")
def watch_limits() -> int:
    """Measure every limit; how many breaches opened, closed or changed."""
    begun(WATCH)
    moved = limits_watch(now=clock.now())
    if moved is None:
        _ask_limits()
    return moved or 0


def _ask_limits() -> None:
    if limits_due():
        watch_limits.apply_async(countdown=AFTER_SECONDS, expires=EXPIRES_SECONDS)


@shared_task(name="pnl.tasks.rebuild")
def rebuild_projection(accounts: list[str] | None = None) -> int:
    """Compute all accounts, or those of these codes, anew; the number of rows that were mended."""
    return rebuild_to_the_end(ACTIVITY, accounts=accounts)


@shared_task(name="pnl.tasks.record_intraday")
def record_intraday() -> int:
    return intraday_record(now=clock.now())


@shared_task(name="pnl.tasks.apply_cost")
def apply_cost(shards: int | list[int]) -> int:
    """Apply what the cost's consumer alone has unread."""
    return ledger_apply(apply_cost.name, [COST], shards)


@shared_task(name="pnl.tasks.rebuild_cost")
def rebuild_cost(accounts: list[str] | None = None) -> int:
    """Compute the cost of all accounts, or those of these codes, anew; the number of rows that were
    mended."""
    return rebuild_to_the_end(COST, accounts=accounts)


@shared_task(name="pnl.tasks.rebuild_strategy")
def rebuild_strategy(accounts: list[str] | None = None) -> int:
    """The same of holdings and activity by strategy."""
    return rebuild_to_the_end(STRATEGY, accounts=accounts)


@shared_task(name="pnl.tasks.keep_daily")
def keep_daily() -> int:
    """Calculate the sessions that are settled, and restate what was asked for; fold what a lost
    message about corporate actions left behind."""
    work_do()
    done = daily_finalize(now=clock.now())
    restate()
    return done


@shared_task(name="pnl.tasks.restate")
def restate() -> None:
    """Work for one turn; the rest goes to the tail of the queue."""
    if restate_work(now=clock.now()) is Turn.MORE:
        restate.apply_async(expires=RESTATE_EXPIRES_SECONDS)
