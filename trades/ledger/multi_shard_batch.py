"""Rounds: what a few bookings left in several shards, read and applied in one transaction.

The reader's argument (trades.ledger.shard_batch) holds as it stands; only the batch is another one.
After the locks, one statement reads the entries beyond the locked checkpoints and below the horizon
of its own snapshot, each shard's in order and without a gap. Their ids are the batch: the later
statements look up these ids, so none of them can see fewer or more, and each checkpoint moves to
the last id of its shard.

Here every statement is prepared, and a shard costs next to nothing: a round of one booking and one
of a hundred in sixteen shards are the same six statements. What is more than a few entries, and
what fails, is left to `drain`, which has one shard's entries summed by range, and in halves.

Whoever held a checkpoint looks once more after it has let go of it: who found it held meanwhile has
gone away.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

from django.db import transaction
from django.db.backends.utils import CursorWrapper

from kernel import notices, prepared
from kernel.following import Followed
from trades.ledger import sql
from trades.ledger.nudges import MOST_FOLLOWED
from trades.ledger.projection import BEGINNING, Handful, Place, Projection
from trades.ledger.shard_batch import BELOW_HORIZON, HERE, AnotherCluster, may_be_the_batch
from trades.ledger.sql import BEYOND_CHECKPOINT

# Of one shard. Notices name the keys of so many.
MOST_ENTRIES = 500


@dataclass
class Round:
    """Entries that were applied, and by shard what the round left."""

    entries: int = 0
    behind: set[int] = field(default_factory=set)
    """Shards that have entries beyond the checkpoint, whether they can be read yet or not."""
    backlog: set[int] = field(default_factory=set)
    """Shards that have more than a few: they are for `drain`."""
    accounts: set[int] = field(default_factory=set, compare=False)
    trades: list[str] = field(default_factory=list, compare=False)
    """What it was about; the first trades, for the log."""


class RoundFailed(Exception):
    """Applying what was found together failed, for what it holds. Nothing of it is left."""


class _Taken(NamedTuple):
    shard: int
    epoch: int
    txid: str
    id: int
    account: int
    instrument: int
    trade: str
    is_passed_over: bool

    @property
    def place(self) -> Place:
        return Place(self.epoch, self.txid, self.id)


def round_read(
    projection: Projection, shards: Iterable[int], whose: Sequence[Followed] = ()
) -> Round:
    """Apply what these shards have beyond the projection's checkpoints, where it is little and
    nobody else is at it; `whose` are requests that left something there, for the notices. Must
    not run inside a transaction. Raises AnotherCluster, RoundFailed, and whatever the database
    raises while it is away."""
    done = Round()
    with transaction.atomic(durable=True):
        cursor = prepared.cursor()
        held = _lock(cursor, projection.name, set(shards))
        if not held:
            return done
        found = _take(cursor, projection.name, held)
        done.backlog = {shard for shard, rows in found.items() if len(rows) > MOST_ENTRIES}
        taken = {shard: rows for shard, rows in found.items() if shard not in done.backlog}
        if taken:
            done.entries = _apply(cursor, projection, taken)
    applied = [row for rows in taken.values() for row in rows if not row.is_passed_over]
    done.accounts = {row.account for row in applied}
    done.trades = list(dict.fromkeys(row.trade for row in applied[:MOST_FOLLOWED]))
    notices.publish(_news(projection.name, held, taken, whose))
    done.behind = {s for _, s in behind([projection.name], held)} - done.backlog
    return done


def _lock(cursor: CursorWrapper, consumer: str, shards: set[int]) -> dict[int, Place]:
    """Lock and read the checkpoints that no other reader holds. Creates missing ones.

    The commit need not wait for the disk: what a crash takes back is effect and checkpoint
    together, and the entries, which were waited for, are read again."""
    cursor.execute(
        "SELECT shard, epoch, txid::text, entry_id, set_config('synchronous_commit', 'off', true)"
        "  FROM trades_checkpoint WHERE consumer = %s AND shard = ANY(%s::smallint[])"
        "   FOR UPDATE SKIP LOCKED",
        [consumer, sorted(shards)],
    )
    held = {row[0]: Place(*row[1:4]) for row in cursor.fetchall()}
    if len(held) < len(shards):
        cursor.execute(
            "INSERT INTO trades_checkpoint (consumer, shard, epoch, txid, entry_id)"
            " SELECT %s, unnest(%s::smallint[]), 0, '0', 0 ON CONFLICT DO NOTHING RETURNING shard",
            [consumer, sorted(shards - held.keys())],
        )
        held |= {row[0]: BEGINNING for row in cursor.fetchall()}
    return held


_TAKE = f"""
    WITH here AS MATERIALIZED ({HERE})
    SELECT h.same_cluster, t.*, t.account_id = ANY(
               ARRAY(SELECT account_id FROM trades_quarantine WHERE consumer = %(consumer)s))
      FROM here h
      LEFT JOIN LATERAL (
        SELECT s.*
          FROM unnest(%(shards)s::smallint[], %(epochs)s::int[], %(txids)s::text[]::xid8[],
                      %(ids)s::bigint[]) AS c (shard, epoch, txid, id)
         CROSS JOIN LATERAL (
            SELECT c.shard, e.epoch, e.txid::text, e.id, e.account_id, e.instrument_id,
                   e.trade_id::text
              FROM trades_ledgerentry e
             WHERE e.shard = c.shard AND {sql.after("(c.epoch, c.txid, c.id)")} AND {BELOW_HORIZON}
             ORDER BY {sql.ORDER} LIMIT %(most)s
         ) s
      ) t ON h.same_cluster
"""


def _take(
    cursor: CursorWrapper, consumer: str, held: Mapping[int, Place]
) -> dict[int, list[_Taken]]:
    """Fix the batch: by shard its entries in order; one more than a few tells a backlog. One
    statement, one snapshot: horizon and visibility agree."""
    cursor.execute(
        _TAKE,
        {
            "consumer": consumer,
            "shards": list(held),
            "epochs": [place.epoch for place in held.values()],
            "txids": [place.txid for place in held.values()],
            "ids": [place.id for place in held.values()],
            "most": MOST_ENTRIES + 1,
        },
    )
    rows = cursor.fetchall()
    if not rows[0][0]:
        raise AnotherCluster
    taken = sorted((_Taken(*row[1:]) for row in rows if row[1] is not None), key=_in_order)
    return {shard: list(rows) for shard, rows in groupby(taken, key=lambda row: row.shard)}


def _in_order(row: _Taken) -> tuple[int, int, int, int]:
    return row.shard, row.epoch, int(row.txid), row.id


def _apply(cursor: CursorWrapper, projection: Projection, taken: Mapping[int, list[_Taken]]) -> int:
    upto = {shard: rows[-1].place for shard, rows in taken.items()}
    ids = tuple(row.id for rows in taken.values() for row in rows if not row.is_passed_over)
    entries = 0
    if ids:
        try:
            entries = projection.apply(cursor, Handful(ids, upto))
        except Exception as error:
            if not may_be_the_batch(error):
                raise
            raise RoundFailed from error
    _move_checkpoints(cursor, projection.name, upto)
    return entries


def _move_checkpoints(cursor: CursorWrapper, consumer: str, upto: Mapping[int, Place]) -> None:
    cursor.execute(
        "UPDATE trades_checkpoint c SET epoch = t.epoch, txid = t.txid, entry_id = t.id,"
        " moved_at = clock_timestamp()"
        " FROM unnest(%s::smallint[], %s::int[], %s::text[]::xid8[], %s::bigint[])"
        " AS t (shard, epoch, txid, id) WHERE c.consumer = %s AND c.shard = t.shard",
        [
            list(upto),
            [place.epoch for place in upto.values()],
            [place.txid for place in upto.values()],
            [place.id for place in upto.values()],
            consumer,
        ],
    )


def _news(
    consumer: str,
    held: Mapping[int, Place],
    taken: Mapping[int, list[_Taken]],
    whose: Sequence[Followed],
) -> list[tuple[str, dict[str, Any]]]:
    """The keys of each account, and then by shard that the reader has moved."""
    instruments: dict[int, set[int]] = {}
    trades: dict[int, set[str]] = {}
    for rows in taken.values():
        for row in rows:
            if not row.is_passed_over:
                instruments.setdefault(row.account, set()).add(row.instrument)
                trades.setdefault(row.account, set()).add(row.trade)
    return [
        *(
            notices.account_changed(
                a, instruments=instruments[a], trades=trades[a], requests=texts_of(whose, a)
            )
            for a in instruments
        ),
        *(
            notices.reader_moved(consumer, s, held[s].as_texts(), rows[-1].place.as_texts())
            for s, rows in taken.items()
        ),
    ]


def texts_of(whose: Iterable[Followed], account: int) -> list[str]:
    """The requests that left something in this account, as a notice names them."""
    return [one.as_text() for one in whose if account in one.accounts][:MOST_FOLLOWED]


def behind(consumers: Iterable[str], shards: Iterable[int]) -> list[tuple[str, int]]:
    """The (consumer, shard) pairs, of these, that have entries beyond their checkpoint; a missing
    checkpoint stands at the very beginning. One index probe each."""
    # OFFSET 0: never a join with the whole ledger, however few entries the planner expects.
    return [
        (consumer, shard)
        for consumer, shard in prepared.rows(
            f"""
            SELECT n.consumer, s.shard
              FROM unnest(%s::text[]) AS n (consumer)
             CROSS JOIN unnest(%s::smallint[]) AS s (shard)
              LEFT JOIN trades_checkpoint c ON c.consumer = n.consumer AND c.shard = s.shard
             WHERE EXISTS (
                SELECT FROM trades_ledgerentry e
                 WHERE e.shard = s.shard AND {BEYOND_CHECKPOINT} OFFSET 0)
             ORDER BY 1, 2
            """,
            [list(consumers), sorted(shards)],
        )
    ]
