"""The ledger's reader: every consumer meets every entry exactly once, whatever dies when.

The argument, in five steps.

1. *Order.* Entries are read in the order (epoch, txid, id). `txid` is the writing transaction's
   64-bit id, so the order is fixed when an entry is written, not when it becomes visible.
2. *Nothing is skipped.* Transactions become visible out of that order, so a reader goes only up to
   the horizon, `pg_snapshot_xmin` of its own statement's snapshot: every transaction below it has
   ended, and what it committed is visible to that very snapshot. Behind a checkpoint that lies
   below the horizon nothing can appear any more. Entries of earlier epochs were written in another
   cluster, whose transactions have all ended.
3. *Nothing counts twice.* A batch is the entries between the checkpoint and an upper bound that one
   statement fixes. All later statements of the batch use these two bounds and never ask for the
   horizon again: each has its own snapshot, and a later horizon would let it apply entries that
   the checkpoint then does not cover, or the other way round. The checkpoint row is locked
   before the bound is taken and moved in the transaction that applies, so effect and checkpoint
   are committed together or not at all, and two readers of one shard exclude each other.
4. *One bad entry stops one account.* A batch that fails, or takes longer than a statement may, is
   tried again in halves; an entry that fails alone puts its account into quarantine for this
   consumer. From then on the consumer passes the account over, and a rebuild, which recomputes it
   up to the checkpoint, ends that.
5. *Nothing waits for long.* Whoever commits a booking nudges the readers; the sweep finds what a
   lost nudge left behind; a reader that sees entries above the horizon looks again shortly.

The order is not the order of anything else: effects must commute. What is published after the
commit are only the keys that changed; if the process dies before that, nobody's numbers are wrong.
"""

import logging
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import errors

from kernel import notices
from kernel.database import is_outage
from kernel.errors import Unavailable
from trades.ledger import sql
from trades.ledger.projection import Place, Projection, Stretch
from trades.models import LEDGER_SHARDS

logger = logging.getLogger(__name__)

# Large enough that a backlog is summed rather than rewritten key by key, small enough that its
# transaction, which holds the horizon of the others, ends in a fraction of a second.
BATCH_ENTRIES = 65_536
# Counting off a batch costs as much as a third of applying it. A backlog of so many times as many
# ids, which are drawn by all shards, is taken without; were it all one shard's, that batch would
# take two seconds.
UNCOUNTED_BATCHES = 16
_ALWAYS = -(2**62)
MAX_BATCHES = 3
PATIENCE_SECONDS = 2.0
PAUSES_SECONDS = (0.005, 0.005, 0.010, 0.020)
# Written by a transaction that had ended when the statement's snapshot `h` was taken.
BELOW_HORIZON = "(e.epoch < h.epoch OR e.txid < h.horizon)"
HERE = """
    SELECT pg_snapshot_xmin(pg_current_snapshot()) AS horizon, l.epoch,
           l.system_identifier = c.system_identifier AS same_cluster
      FROM (SELECT epoch, system_identifier FROM trades_ledgerepoch ORDER BY epoch DESC LIMIT 1) l,
           pg_control_system() c
"""
_LAST = "((SELECT epoch FROM last), (SELECT txid FROM last), (SELECT id FROM last))"
# A batch of more entries names no keys: whoever watches an account of the shard reads it whole.
MOST_NAMED_KEYS = 500


# Code ahead of its migration, or a right not granted: every entry would fail.
NO_ENTRYS_FAULT = (
    errors.UndefinedTable,
    errors.UndefinedColumn,
    errors.UndefinedFunction,
    errors.InsufficientPrivilege,
)


class AnotherCluster(Unavailable):
    """The database was restored into another cluster; nothing is read until `restored` ran."""

    code = "another_cluster"
    detail = "This database was restored into another cluster: run `manage.py restored`."


class State(StrEnum):
    DRAINED = "drained"  # nothing visible lies beyond the checkpoint
    BUSY = "busy"  # another reader holds the checkpoint
    MORE = "more"  # entries are left, and this reader has had its turn
    WAITING = "waiting"  # entries are left above the horizon, and patience is over


@dataclass
class Outcome:
    state: State
    entries: int = 0
    batches: int = 0
    waited: float = field(default=0.0)


class BatchFailed(Exception):
    """Applying a batch failed, and not because the database is away: it was refused, or it took
    longer than a statement may (`too_long`). Nothing of it is left."""

    def __init__(self, batch: Stretch, *, too_long: bool = False) -> None:
        super().__init__(f"a batch of shard {batch.shard} up to entry {batch.upto.id}")
        self.batch = batch
        self.too_long = too_long


def drain(
    projection: Projection,
    shard: int,
    *,
    max_batches: int = MAX_BATCHES,
    batch_entries: int = BATCH_ENTRIES,
    patience: float = PATIENCE_SECONDS,
) -> Outcome:
    """Apply what the shard has beyond the projection's checkpoint, batch by batch.

    Must not run inside a transaction: each batch is one. Raises AnotherCluster, and whatever the
    database raises while it is away.
    """
    outcome = Outcome(State.DRAINED)
    looks, size = 0, batch_entries
    while True:
        try:
            after, batch, entries = _turn(projection, shard, size)
        except BatchFailed as failure:
            # Below the size from which on batches are not counted off, or it would be the same.
            size = min(_count(failure.batch) // 2, BATCH_ENTRIES - 1)
            if size == 0:
                if failure.too_long or not _quarantine(projection.name, failure):
                    # Nothing is too slow for one entry but the database, and without any entry of
                    # its own it fails for another reason: no account is to blame.
                    raise
                size = batch_entries
            continue
        if after is None:
            outcome.state = State.BUSY
            return outcome
        if batch is not None:
            outcome.entries += entries
            outcome.batches += 1
            looks = 0
            if outcome.batches >= max_batches:
                outcome.state = State.MORE if _anything_beyond(batch.upto, shard) else State.DRAINED
                return outcome
            continue
        # Nothing below the horizon. What is visible above it was committed while an older
        # transaction is still open somewhere in the cluster.
        if not _anything_beyond(after, shard):
            outcome.state = State.DRAINED
            return outcome
        if outcome.waited >= patience:
            outcome.state = State.WAITING
            return outcome
        pause = PAUSES_SECONDS[min(looks, len(PAUSES_SECONDS) - 1)]
        looks += 1
        outcome.waited += pause
        time.sleep(pause)


def _turn(
    projection: Projection, shard: int, size: int
) -> tuple[Place | None, Stretch | None, int]:
    """One transaction: the checkpoint's place (None: in other hands), the batch that was applied
    beyond it (None: nothing below the horizon), and its entries. Publishes what changed."""
    changed: list[tuple[str, dict[str, Any]]] = []
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        after = _lock_checkpoint(cursor, projection.name, shard)
        if after is None:
            return None, None, 0
        batch = _next_batch(cursor, projection.name, shard, after, size)
        if batch is None:
            return after, None, 0
        try:
            entries = projection.apply(cursor, batch)
        except Exception as error:
            if not may_be_the_batch(error):
                raise
            raise BatchFailed(batch, too_long=_was_too_long(error)) from error
        _move_checkpoint(cursor, projection.name, batch)
        changed = _changed_keys(cursor, projection.name, batch, entries)
    notices.publish(changed)
    return after, batch, entries


def may_be_the_batch(error: Exception) -> bool:
    """True if applying failed for what a batch holds, or for how much it holds."""
    if _was_too_long(error):
        return True
    return not (is_outage(error) or isinstance(error.__cause__, NO_ENTRYS_FAULT))


def _was_too_long(error: Exception) -> bool:
    return isinstance(error.__cause__, errors.QueryCanceled)


def _count(batch: Stretch) -> int:
    """The number of a batch's entries, those of quarantined accounts included."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM trades_ledgerentry e WHERE {Stretch.WHERE}",
            {**batch.params, "quarantined": []},
        )
        return int(cursor.fetchone()[0])


def _quarantine(consumer: str, failure: BatchFailed) -> bool:
    """Pass over the account of the one entry that failed alone, from now on. Loud, and seen on the
    system page; False, and nothing changed, when the account is in quarantine already."""
    error = f"{type(failure.__cause__).__name__}: {failure.__cause__}".strip()
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO trades_quarantine (consumer, account_id, entry_id, error)"
            " SELECT %s, account_id, id, %s FROM trades_ledgerentry WHERE id = %s"
            " ON CONFLICT DO NOTHING RETURNING account_id",
            [consumer, error, failure.batch.upto.id],
        )
        row = cursor.fetchone()
    logger.error(
        "%s: entry %s cannot be applied; account %s is passed over until it is rebuilt: %s",
        consumer,
        failure.batch.upto.id,
        row and row[0],
        error,
    )
    return row is not None


def _lock_checkpoint(cursor: CursorWrapper, consumer: str, shard: int) -> Place | None:
    """Lock and read the checkpoint; None when another reader holds it. Creates a missing one: a
    missing checkpoint never means busy. For this transaction it also lets the planner sum a large
    batch in memory, and read the index in its order instead of sorting."""
    for _ in range(2):
        cursor.execute(
            "SELECT epoch, txid::text, entry_id, set_config('work_mem', '64MB', true),"
            " set_config('random_page_cost', '1.1', true) FROM trades_checkpoint"
            " WHERE consumer = %s AND shard = %s FOR UPDATE SKIP LOCKED",
            [consumer, shard],
        )
        row = cursor.fetchone()
        if row:
            return Place(*row[:3])
        cursor.execute(
            "INSERT INTO trades_checkpoint (consumer, shard, epoch, txid, entry_id)"
            " VALUES (%s, %s, 0, '0', 0) ON CONFLICT DO NOTHING",
            [consumer, shard],
        )
        if not cursor.rowcount:
            return None
    return None


def _next_batch(
    cursor: CursorWrapper, consumer: str, shard: int, after: Place, size: int
) -> Stretch | None:
    """Fix the upper bound. One statement, one snapshot: horizon and visibility agree."""
    readable = (
        f"h.same_cluster AND e.shard = %(shard)s AND {sql.after(sql.place('after'))}"
        f" AND {BELOW_HORIZON}"
    )
    cursor.execute(
        f"""
        WITH here AS MATERIALIZED ({HERE}), last AS (
            SELECT {sql.ORDER} FROM trades_ledgerentry e, here h WHERE {readable}
             ORDER BY {sql.ORDER_BACKWARD} LIMIT 1
        ), nearer AS (
            -- Only a large backlog is worth counting off.
            SELECT {sql.ORDER} FROM trades_ledgerentry e
             WHERE (SELECT id FROM last) - %(after_id)s > %(uncounted)s
               AND e.shard = %(shard)s AND {sql.after(sql.place("after"))}
               AND {sql.before(_LAST)}
             ORDER BY {sql.ORDER} OFFSET %(size)s - 1 LIMIT 1
        )
        SELECT h.same_cluster, b.epoch, b.txid::text, b.id,
               ARRAY(SELECT account_id FROM trades_quarantine WHERE consumer = %(consumer)s)
          FROM here h
          LEFT JOIN (SELECT * FROM nearer
                     UNION ALL SELECT * FROM last WHERE NOT EXISTS (SELECT FROM nearer)) b ON true
        """,
        {
            "shard": shard,
            **after.params("after"),
            "size": size,
            # Ids are drawn in about the reading order, by all shards. A batch that is bisected is
            # always counted off: its last entry may have an id below the checkpoint's.
            "uncounted": UNCOUNTED_BATCHES * size if size >= BATCH_ENTRIES else _ALWAYS,
            "consumer": consumer,
        },
    )
    same_cluster, epoch, txid, last_id, quarantined = cursor.fetchone()
    if not same_cluster:
        raise AnotherCluster
    if epoch is None:
        return None
    return Stretch(shard, after, Place(epoch, txid, last_id), tuple(quarantined))


def _move_checkpoint(cursor: CursorWrapper, consumer: str, batch: Stretch) -> None:
    cursor.execute(
        "UPDATE trades_checkpoint SET epoch = %s, txid = %s::xid8, entry_id = %s,"
        " moved_at = clock_timestamp() WHERE consumer = %s AND shard = %s",
        [batch.upto.epoch, batch.upto.txid, batch.upto.id, consumer, batch.shard],
    )


def _changed_keys(
    cursor: CursorWrapper, consumer: str, batch: Stretch, entries: int
) -> list[tuple[str, dict[str, Any]]]:
    """Notices of a batch: the keys of each account, or after a large batch all the accounts of
    the shard, and then that the reader has moved."""
    moved = notices.reader_moved(
        consumer, batch.shard, batch.after.as_texts(), batch.upto.as_texts()
    )
    if entries > MOST_NAMED_KEYS:
        cursor.execute(
            "SELECT id FROM accounts_account WHERE id %% %s = %s", [LEDGER_SHARDS, batch.shard]
        )
        accounts = [row[0] for row in cursor.fetchall()]
        return [
            *(notices.account_changed(a, instruments=None, trades=None) for a in accounts),
            moved,
        ]
    cursor.execute(
        "SELECT e.account_id, array_agg(DISTINCT e.instrument_id), array_agg(DISTINCT e.trade_id)"
        f" FROM trades_ledgerentry e WHERE {Stretch.WHERE} GROUP BY e.account_id",
        batch.params,
    )
    changed = [
        notices.account_changed(a, instruments=instruments, trades=[str(t) for t in trades])
        for a, instruments, trades in cursor.fetchall()
    ]
    return [*changed, moved]


def _anything_beyond(place: Place, shard: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM trades_ledgerentry e WHERE e.shard = %(shard)s"
            f" AND {sql.after(sql.place('after'))})",
            {"shard": shard, **place.params("after")},
        )
        return bool(cursor.fetchone()[0])
