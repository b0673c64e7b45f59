"""A consumer's turn and the sweep, around `trades.ledger.reader.drain`."""

from django.conf import settings
from django.db import connection

from trades.ledger import nudges
from trades.ledger.reader import Outcome, Projection, State, drain
from trades.ledger.sql import BEYOND_CHECKPOINT
from trades.models import LEDGER_SHARDS


def ledger_apply(projection: Projection, shard: int) -> Outcome:
    """One turn of a consumer at a shard. What is left then goes to the tail of its queue, so that
    one hot shard starves nobody. The nudge's key is cleared before the checkpoint is locked."""
    nudges.nudge_taken(projection.name, shard)
    outcome = drain(projection, shard)
    if outcome.state is State.MORE:
        nudges.nudge(projection.name, shard)
    return outcome


def shards_behind() -> list[tuple[str, int]]:
    """The (consumer, shard) pairs that have entries beyond their checkpoint; a missing checkpoint
    stands at the very beginning. One index probe each."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT n.consumer, s.shard
              FROM unnest(%s::text[]) AS n (consumer)
             CROSS JOIN generate_series(0, %s - 1) AS s (shard)
              LEFT JOIN trades_checkpoint c ON c.consumer = n.consumer AND c.shard = s.shard
             WHERE EXISTS (
                SELECT FROM trades_ledgerentry e
                 WHERE e.shard = s.shard AND {BEYOND_CHECKPOINT})
             ORDER BY 1, 2
            """,
            [list(settings.LEDGER_CONSUMERS), LEDGER_SHARDS],
        )
        return [(str(consumer), int(shard)) for consumer, shard in cursor.fetchall()]


def ledger_sweep() -> int:
    """Nudge whoever is behind; the number of pairs that were. Recovery is nothing more."""
    behind = shards_behind()
    for consumer, shard in behind:
        nudges.nudge(consumer, shard)
    return len(behind)
