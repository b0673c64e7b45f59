"""Rounds: what a few bookings left in several shards, read for several consumers and applied in one
transaction.

The reader's argument (trades.ledger.shard_batch) holds as it stands; only the batch is another one.
After the locks, one statement reads the entries beyond the locked checkpoints and below the horizon
of its own snapshot, each shard's in order and without a gap. Their ids are the batch: the later
statements look up these ids, so none of them can see fewer or more, and each checkpoint moves to
the last id of its shard. A consumer that stands elsewhere than the others has a batch of its own.

Here every statement is prepared, and a shard costs next to nothing: a round of one booking and one
of a hundred in sixteen shards are the same statements. Consumers share all of them but those that
apply. What is more than a few entries, and what fails, is left to `drain`, which has one shard's
entries summed by range, and in halves.

Whoever held a checkpoint looks once more after it has let go of it: who found it held meanwhile has
gone away.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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


class Asked(NamedTuple):
    """What a round is to read for one consumer."""

    projection: Projection
    shards: Collection[int]
    whose: Sequence[Followed] = ()
    """Requests that left something there, for the notices."""


class _Mark(NamedTuple):
    """A checkpoint's key."""

    consumer: str
    shard: int


class _Taken(NamedTuple):
    shard: int
    epoch: int
    txid: str
    id: int
    account: int
    instrument: int
    trade: str
    passed_over_by: Sequence[str]
    """Consumers that have the account in quarantine."""

    @property
    def place(self) -> Place:
        return Place(self.epoch, self.txid, self.id)


_Found = Mapping[int, Sequence[_Taken]]
"""Entries by shard, in their order."""


def round_read(
    projection: Projection, shards: Iterable[int], whose: Sequence[Followed] = ()
) -> Round:
    """`shared_round` of one consumer."""
    return shared_round([Asked(projection, set(shards), whose)])[projection.name]


def shared_round(asked: Sequence[Asked]) -> dict[str, Round]:
    """Apply what the shards have beyond each consumer's checkpoints, where it is little and nobody
    else is at it: of all consumers in one transaction, all or nothing. By consumer what was done.
    Must not run inside a transaction. Raises AnotherCluster, RoundFailed, and whatever the database
    raises while it is away."""
    done = {each.projection.name: Round() for each in asked}
    taken: dict[str, _Found] = {}
    with transaction.atomic(durable=True):
        cursor = prepared.cursor()
        held = _lock(cursor, [_Mark(e.projection.name, shard) for e in asked for shard in e.shards])
        if not held:
            return done
        found = _take(cursor, held)
        for each in asked:
            name = each.projection.name
            mine = {mark.shard: rows for mark, rows in found.items() if mark.consumer == name}
            done[name].backlog = {s for s, rows in mine.items() if len(rows) > MOST_ENTRIES}
            taken[name] = {s: r for s, r in mine.items() if s not in done[name].backlog}
            if taken[name]:
                done[name].entries = _apply(cursor, each.projection, taken[name])
        upto = {_Mark(n, s): r[-1].place for n, rows in taken.items() for s, r in rows.items()}
        if upto:
            _move_checkpoints(cursor, upto)
    for name, rows in taken.items():
        applied = _applied(name, rows)
        done[name].accounts = {row.account for row in applied}
        done[name].trades = list(dict.fromkeys(row.trade for row in applied[:MOST_FOLLOWED]))
    notices.publish(_news(asked, held, taken))
    for mark in map(_Mark._make, behind(done, {mark.shard for mark in held})):
        if mark in held and mark.shard not in done[mark.consumer].backlog:
            done[mark.consumer].behind.add(mark.shard)
    return done


def _lock(cursor: CursorWrapper, wanted: Sequence[_Mark]) -> dict[_Mark, Place]:
    """Lock and read the checkpoints that no other reader holds. Creates missing ones.

    The commit need not wait for the disk: what a crash takes back is effect and checkpoint
    together, and the entries, which were waited for, are read again. And what is prepared has one
    plan whatever the ids are: planning the statements anew took longer than running them."""
    cursor.execute(
        "SELECT c.consumer, c.shard, c.epoch, c.txid::text, c.entry_id,"
        "       set_config('synchronous_commit', 'off', true),"
        "       set_config('plan_cache_mode', 'force_generic_plan', true)"
        "  FROM unnest(%s::text[], %s::smallint[]) AS w (consumer, shard)"
        "  JOIN trades_checkpoint c ON c.consumer = w.consumer AND c.shard = w.shard"
        "   FOR UPDATE OF c SKIP LOCKED",
        _columns(wanted),
    )
    held = {_Mark(*row[:2]): Place(*row[2:5]) for row in cursor.fetchall()}
    if len(held) < len(wanted):
        cursor.execute(
            "INSERT INTO trades_checkpoint (consumer, shard, epoch, txid, entry_id)"
            " SELECT consumer, shard, 0, '0', 0"
            "   FROM unnest(%s::text[], %s::smallint[]) AS w (consumer, shard)"
            " ON CONFLICT DO NOTHING RETURNING consumer, shard",
            # In one order, whoever makes them: two that wait for each other would wait for ever.
            _columns(sorted(set(wanted) - held.keys())),
        )
        held |= {_Mark(*row): BEGINNING for row in cursor.fetchall()}
    return held


def _columns(marks: Iterable[_Mark]) -> list[list[Any]]:
    found = list(marks)
    return [[mark.consumer for mark in found], [mark.shard for mark in found]]


_TAKE = f"""
    WITH here AS MATERIALIZED ({HERE})
    SELECT h.same_cluster, t.*,
           CASE WHEN EXISTS (SELECT FROM trades_quarantine)
                THEN ARRAY(SELECT q.consumer::text FROM trades_quarantine q
                            WHERE q.account_id = t.account_id)
                ELSE '{{}}' END
      FROM here h
      LEFT JOIN LATERAL (
        SELECT s.*
          FROM unnest(%(shards)s::smallint[], %(epochs)s::int[], %(txids)s::text[]::xid8[],
                      %(ids)s::bigint[]) WITH ORDINALITY AS c (shard, epoch, txid, id, spot)
         CROSS JOIN LATERAL (
            SELECT c.spot, c.shard, e.epoch, e.txid::text, e.id, e.account_id, e.instrument_id,
                   e.trade_id::text
              FROM trades_ledgerentry e
             WHERE e.shard = c.shard AND {sql.after("(c.epoch, c.txid, c.id)")} AND {BELOW_HORIZON}
             ORDER BY {sql.ORDER} LIMIT %(most)s
         ) s
      ) t ON h.same_cluster
"""


def _take(cursor: CursorWrapper, held: Mapping[_Mark, Place]) -> dict[_Mark, list[_Taken]]:
    """Fix the batch: by checkpoint its entries in order; one more than a few tells a backlog. One
    statement, one snapshot: horizon and visibility agree. Consumers that stand at one place of a
    shard have the same entries."""
    spots: dict[tuple[int, Place], list[_Mark]] = {}
    for mark, place in held.items():
        spots.setdefault((mark.shard, place), []).append(mark)
    cursor.execute(
        _TAKE,
        {
            "shards": [shard for shard, _ in spots],
            "epochs": [place.epoch for _, place in spots],
            "txids": [place.txid for _, place in spots],
            "ids": [place.id for _, place in spots],
            "most": MOST_ENTRIES + 1,
        },
    )
    rows = cursor.fetchall()
    if not rows[0][0]:
        raise AnotherCluster
    by_spot: dict[int, list[_Taken]] = {}
    for _, spot, *row in rows:
        if spot is not None:
            by_spot.setdefault(spot, []).append(_Taken(*row))
    found: dict[_Mark, list[_Taken]] = {}
    for spot, marks in enumerate(spots.values(), start=1):
        if spot in by_spot:
            found |= dict.fromkeys(marks, sorted(by_spot[spot], key=_in_order))
    return found


def _in_order(row: _Taken) -> tuple[int, int, int]:
    return row.epoch, int(row.txid), row.id


def _applied(consumer: str, taken: _Found) -> list[_Taken]:
    """What the consumer applies of the entries that it took."""
    return [row for rows in taken.values() for row in rows if consumer not in row.passed_over_by]


def _apply(cursor: CursorWrapper, projection: Projection, taken: _Found) -> int:
    ids = tuple(row.id for row in _applied(projection.name, taken))
    if not ids:
        return 0
    upto = {shard: rows[-1].place for shard, rows in taken.items()}
    try:
        return projection.apply(cursor, Handful(ids, upto))
    except Exception as error:
        if not may_be_the_batch(error):
            raise
        raise RoundFailed from error


def _move_checkpoints(cursor: CursorWrapper, upto: Mapping[_Mark, Place]) -> None:
    cursor.execute(
        "UPDATE trades_checkpoint c SET epoch = t.epoch, txid = t.txid, entry_id = t.id,"
        " moved_at = clock_timestamp()"
        " FROM unnest(%s::text[], %s::smallint[], %s::int[], %s::text[]::xid8[], %s::bigint[])"
        " AS t (consumer, shard, epoch, txid, id)"
        " WHERE c.consumer = t.consumer AND c.shard = t.shard",
        [
            *_columns(upto),
            [place.epoch for place in upto.values()],
            [place.txid for place in upto.values()],
            [place.id for place in upto.values()],
        ],
    )


def _news(
    asked: Sequence[Asked], held: Mapping[_Mark, Place], taken: Mapping[str, _Found]
) -> list[tuple[str, dict[str, Any]]]:
    """The keys of each account, once for all consumers, and then by shard that a reader has
    moved."""
    instruments: dict[int, set[int]] = {}
    trades: dict[int, set[str]] = {}
    whose: dict[int, dict[str, None]] = {}
    for each in asked:
        applied = _applied(each.projection.name, taken[each.projection.name])
        for row in applied:
            instruments.setdefault(row.account, set()).add(row.instrument)
            trades.setdefault(row.account, set()).add(row.trade)
        for account in {row.account for row in applied}:
            whose.setdefault(account, {}).update(dict.fromkeys(texts_of(each.whose, account)))
    return [
        *(
            notices.account_changed(
                a, instruments=instruments[a], trades=trades[a], requests=whose[a]
            )
            for a in instruments
        ),
        *(
            notices.reader_moved(
                name, s, held[_Mark(name, s)].as_texts(), rows[-1].place.as_texts()
            )
            for name, found in taken.items()
            for s, rows in found.items()
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
