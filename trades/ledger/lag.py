"""The lag of the ledger's readers, and the transaction that holds them up."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from trades.ledger.registry import consumers
from trades.ledger.sql import BEYOND_CHECKPOINT, ORDER
from trades.models import LEDGER_SHARDS, Quarantine

# Counting goes no further: beyond it the figure says "at least".
MOST_COUNTED = 100_000


@dataclass(frozen=True)
class ShardLag:
    """Entries beyond a consumer's checkpoint, and the age of the oldest in seconds."""

    consumer: str
    shard: int
    entries: int
    seconds: float


@dataclass(frozen=True)
class Horizon:
    """The oldest transaction that still runs in the cluster: nothing above it can be read."""

    age_seconds: float | None
    pid: int | None
    user: str | None
    database: str | None
    state: str | None


@dataclass(frozen=True)
class Quarantined:
    consumer: str
    account: str
    entry: int
    error: str
    since: datetime


def shard_lags() -> list[ShardLag]:
    """Every consumer and shard, those without lag included."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT n.consumer, s.shard, b.entries,
                   coalesce(extract(epoch FROM clock_timestamp() - b.oldest), 0)::float
              FROM unnest(%(consumers)s::text[]) AS n (consumer)
             CROSS JOIN generate_series(0, %(shards)s - 1) AS s (shard)
              LEFT JOIN trades_checkpoint c ON c.consumer = n.consumer AND c.shard = s.shard
             CROSS JOIN LATERAL (
                SELECT count(*) AS entries, min(recorded_at) AS oldest FROM (
                    SELECT e.recorded_at FROM trades_ledgerentry e
                     WHERE e.shard = s.shard AND {BEYOND_CHECKPOINT}
                     ORDER BY {ORDER} LIMIT %(most)s) l
             ) b
             ORDER BY 1, 2
            """,
            {
                "consumers": consumers(),
                "shards": LEDGER_SHARDS,
                "most": MOST_COUNTED,
            },
        )
        return [ShardLag(*row) for row in cursor.fetchall()]


def horizon() -> Horizon:
    """The transaction that holds the horizon back; all None when no transaction has an id. Ages of
    other users' sessions are seen only with pg_read_all_stats, which the local stack grants."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT extract(epoch FROM clock_timestamp() - xact_start)::float, pid, usename,
                   datname, state
              FROM pg_stat_activity
             WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()
             ORDER BY age(backend_xid) DESC LIMIT 1
            """
        )
        row = cursor.fetchone()
        return Horizon(*row) if row else Horizon(None, None, None, None, None)


def quarantined() -> list[Quarantined]:
    found = Quarantine.objects.select_related("account").order_by("consumer", "account__code")
    return [Quarantined(q.consumer, q.account.code, q.entry_id, q.error, q.since) for q in found]
