"""Decisions about corporate actions leave work, and a worker is told once they can be seen."""

from collections.abc import Iterable

from django.db import transaction

from pnl.activity.legs import CONSUMER, work_ask
from trades.ledger import nudges
from trades.models import LEDGER_SHARDS


def actions_ask(instruments: Iterable[int]) -> None:
    """Leave work for these instruments, in the decision's transaction, and nudge a worker after
    it. The nudge is only that: the minute's task finds what a lost one leaves behind."""
    work_ask(instruments)
    transaction.on_commit(_nudge, robust=True)


def _nudge() -> None:
    nudges.nudge_each((CONSUMER, shard) for shard in range(LEDGER_SHARDS))
