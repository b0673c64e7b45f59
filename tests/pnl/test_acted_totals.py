"""Totals where corporate actions act: legs are added to what is summed straight, and they are the
sums of the rows all the same, by account and by strategy."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from hypothesis import HealthCheck, example, given
from hypothesis import settings as how
from hypothesis import strategies as st

from kernel.pnl import AMOUNTS
from pnl.live.rows import live_rows
from pnl.live.totals import live_totals
from pnl.models import ActionWork
from pnl.reasons import REASONS
from pnl.strategies.projection import STRATEGY
from pnl.strategies.rows import strategy_rows
from pnl.strategies.totals import live_strategy_days
from prices.models import CloseDoubt, Quote
from tests import factories as make
from tests.pnl.conftest import FRIDAY, MONDAY, THURSDAY, WEDNESDAY, Days, at
from tests.pnl.test_actions_property import NOW, STEPS, History
from trades.ledger.multi_shard_batch import round_read
from trades.models import LEDGER_SHARDS

# What may be wrong with the parent: nothing, or a reason to look at each of its rows.
FLAWS = st.sampled_from(["", "", "stale", "doubtful", "work"])


# All kinds of them on the business date, after a trade and before another one.
ALL_OF_A_DAY: list[tuple[Any, ...]] = [
    ("trade", True, Decimal(105), MONDAY),
    ("trade", True, Decimal(-7), THURSDAY),
    *(("act", kind, ("3", "2"), THURSDAY) for kind in ("cash", "split", "cash", "spin")),
]


@how(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(ALL_OF_A_DAY, "")
@example(ALL_OF_A_DAY, "doubtful")
@given(STEPS, FLAWS)
def test_totals_are_the_sums_of_the_rows(
    days: Days, steps: list[tuple[Any, ...]], flaw: str
) -> None:
    history = History(days)
    for step in steps:
        history.do(step)
    assert not round_read(STRATEGY, range(LEDGER_SHARDS)).behind
    with transaction.atomic():
        _spoil(history, flaw)
        for session in (THURSDAY, FRIDAY):
            now = at(session, 14)
            Quote.objects.all().delete()
            for name in (history.child, *([] if flaw == "stale" else [history.parent])):
                make.make_quote(name, "61.25", now)
            _compare(history, now)
        transaction.set_rollback(True)


def _spoil(history: History, flaw: str) -> None:
    if flaw == "doubtful":
        CloseDoubt.objects.create(
            instrument=history.parent, session=WEDNESDAY, source=settings.PRICE_SOURCE,
            kind=CloseDoubt.Kind.MOVED, price=Decimal(5000), compared_with=Decimal(50),
            raised_at=NOW,
        )  # fmt: skip
    elif flaw == "work":
        ActionWork.objects.create(
            shard=history.account.pk % LEDGER_SHARDS, instrument_id=history.parent.pk
        )


def _compare(history: History, now: datetime) -> None:
    account = history.account.pk
    rows = live_rows(accounts=[account], now=now)
    (total,) = live_totals(accounts=[account], now=now)
    assert _of(total) == _summed(rows)
    assert total.invalid_rows >= sum(row.pnl_reason is not None for row in rows)
    if total.invalid_rows == sum(row.pnl_reason is not None for row in rows):
        reasons = [row.pnl_reason for row in rows if row.pnl_reason]
        assert total.pnl_reason == min(reasons, key=REASONS.index, default=None)
    for day in live_strategy_days(accounts=[account], now=now):
        of_strategies = strategy_rows(accounts=[account], session=day.session, now=now)
        assert _of(day.figures) == _summed(of_strategies)
        assert day.invalid_rows == sum(row.pnl_reason is not None for row in of_strategies)


def _of(figures: Any) -> list[Decimal]:
    return [getattr(figures, name) for name in AMOUNTS]


def _summed(rows: Sequence[Any]) -> list[Decimal]:
    return [sum((getattr(row, name) or Decimal(0) for row in rows), Decimal(0)) for name in AMOUNTS]
