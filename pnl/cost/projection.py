"""Average cost as a projection of the ledger: appended fills go on, anything earlier replays a key.

Cost depends on the order of trades (trade date, time of execution, trade id), the ledger's reading
order is another, and what is read later may belong earlier. Still the row of a key is a function of
one set, the entries up to the checkpoint:

1. *The set.* A replay takes the key's entries up to the batch's upper bound, by the same comparison
   as the batch. Everything up to it is below the horizon and visible (trades.ledger.shard_batch),
   so no entry is missing, and none beyond it leaks in, whatever is committed meanwhile: neither the
   trade as it is now nor any version beyond the bound is looked at. The terms and the time of
   execution of an entry stand in the version that it names, which never changes.
2. *The order.* The set's net fills (pnl.cost.fills) have one order, so one outcome.
3. *Going on.* The stored row is the outcome of the set up to the old checkpoint. Where every net
   fill of the batch is later than every entry of that set, the new set's fills are the old ones
   followed by these: none of the old ones is changed by a batch that takes nothing of them back,
   and a reversal of theirs has their own place, which is not later. So the outcome goes on from
   the stored row. `last_trade_date` and `last_executed_at` are maxima over the whole set, each by
   itself; comparing with both replays too often now and then, never too seldom.
4. *Once.* Row and checkpoint are committed together. Batches may come in any order and any size.

A replay reads the key's whole history. A reader that falls behind gets larger batches, in which a
key is replayed once, however many of its trades are late.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.backends.utils import CursorWrapper

from kernel.money import MAX_DECIMALS
from pnl.cost.average_cost import NOTHING, ONE, Costed, fold
from pnl.cost.fills import fills_of, moment_number, numbers
from trades.ledger import sql
from trades.ledger.projection import KINDS, Batch
from trades.ledger.sum_projection import Bounds, Rebuilt, Scope


class CostRow(NamedTuple):
    """A row of pnl_cost in whole numbers: those of `Costed`, days and microseconds since 2000.
    They pass between Python and the database in a third of the time of moments and decimals."""

    account_id: int
    instrument_id: int
    quantity: int
    cost: int
    realized_pnl: int
    last_entry: int
    last_day: int
    last_moment: int

    @property
    def key(self) -> tuple[int, int]:
        return self[0], self[1]


# The columns of CostRow, of rows `r`. A number that is not whole is no number of ours.
_STORED = f"""
    r.account_id, r.instrument_id, r.quantity * {ONE}, r.cost * {ONE**2},
    r.realized_pnl * {ONE**2}, r.last_entry, r.last_trade_date - date '2000-01-01',
    {moment_number("r.last_executed_at")}
"""

_BATCH = """
    WITH found AS MATERIALIZED ({found})
    SELECT f.account_id, f.instrument_id, f.entries, f.last_entry, f.first_day, f.first_moment,
           f.last_day, f.last_moment, f.fill_count, f.fills, {stored}
      FROM found f LEFT JOIN pnl_cost r USING (account_id, instrument_id)
"""
_BATCHES = {
    kind: _BATCH.format(found=fills_of(kind.WHERE, places=True), stored=_STORED) for kind in KINDS
}

_FOLDED = "account_id, instrument_id, last_entry, last_day, last_moment, fill_count, fills"

_REPLAY = f"SELECT {_FOLDED} FROM (" + (
    fills_of(
        sql.up_to("(k.epoch, k.txid, k.id)"),
        entries="unnest(%(accounts)s::bigint[], %(instruments)s::bigint[], %(epochs)s::int[],"
        " %(txids)s::text[]::xid8[], %(ids)s::bigint[])"
        " AS k (account_id, instrument_id, epoch, txid, id)"
        " JOIN trades_ledgerentry e USING (account_id, instrument_id)",
        places=True,
    )
    + ") f"
)

_WRITE = f"""
    INSERT INTO pnl_cost (account_id, instrument_id, quantity, cost, realized_pnl, last_entry,
                          last_trade_date, last_executed_at)
    SELECT a, i, trim_scale(q * 1e-{MAX_DECIMALS}), trim_scale(c * 1e-{2 * MAX_DECIMALS}),
           trim_scale(p * 1e-{2 * MAX_DECIMALS}), e, date '2000-01-01' + d,
           timestamptz '2000-01-01 00:00Z' + m * interval '1 microsecond'
      FROM unnest(%s::bigint[], %s::bigint[], %s::numeric[], %s::numeric[], %s::numeric[],
                  %s::bigint[], %s::int[], %s::bigint[]) AS n (a, i, q, c, p, e, d, m)
    ON CONFLICT (account_id, instrument_id)
    DO UPDATE SET quantity = excluded.quantity, cost = excluded.cost,
                  realized_pnl = excluded.realized_pnl, last_entry = excluded.last_entry,
                  last_trade_date = excluded.last_trade_date,
                  last_executed_at = excluded.last_executed_at
"""


@dataclass(frozen=True)
class CostProjection:
    """The projection of pnl.Cost: see the module."""

    name: str = "cost"

    def apply(self, cursor: CursorWrapper, batch: Batch) -> int:
        """Go on with the keys of a batch, or replay them. The number of entries."""
        cursor.execute(_BATCHES[type(batch)], batch.params)
        rows, early, entries = [], [], 0
        for account, name, count, last, day, moment, *rest in cursor.fetchall():
            last_day, last_moment, fill_count, fills, *stored = rest
            entries += count
            if stored[0] is None:
                state = NOTHING
            else:
                before = CostRow(*stored)
                state = Costed(int(before.quantity), int(before.cost), int(before.realized_pnl))
                if fill_count and not _is_later(day, moment, before):
                    early.append((account, name))
                    continue
                last_day = max(last_day, before.last_day)
                last_moment = max(last_moment, before.last_moment)
            outcome = fold(numbers(fills, fill_count), state)
            rows.append(CostRow(account, name, *outcome, last, last_day, last_moment))
        if early:
            upto = [batch.upto_of(account) for account, _ in early]
            # A key may have three fills or a million: from here on plans are made for the values.
            cursor.execute("SET LOCAL plan_cache_mode = auto")
            cursor.execute(
                _REPLAY,
                {
                    "accounts": [account for account, _ in early],
                    "instruments": [name for _, name in early],
                    "epochs": [place.epoch for place in upto],
                    "txids": [place.txid for place in upto],
                    "ids": [place.id for place in upto],
                },
            )
            rows += _folded(cursor.fetchall())
        _write(cursor, rows)
        return entries

    def survey(self, cursor: CursorWrapper, bounds: Bounds) -> dict[int, Rebuilt]:
        """By account id, what `rebuild` would find. Reads only."""
        found: dict[int, Rebuilt] = {}
        for key, right, stored in _compared(cursor, Bounds.ENTRIES, Bounds.ROWS, bounds.params):
            one = Rebuilt(
                rows=int(right is not None),
                written=int(right is not None and right != stored),
                removed=int(right is None),
            )
            found[key[0]] = found.get(key[0], Rebuilt()) + one
        return found

    def rebuild(self, cursor: CursorWrapper, scope: Scope) -> Rebuilt:
        """Compute the scope anew and write only what differs. The checkpoint must be locked."""
        compared = list(_compared(cursor, Scope.ENTRIES, Scope.ROWS, scope.params))
        wrong = [right for _, right, stored in compared if right is not None and right != stored]
        groundless = [key for key, right, _ in compared if right is None]
        _write(cursor, wrong)
        if groundless:
            cursor.execute(
                "DELETE FROM pnl_cost USING unnest(%s::bigint[], %s::bigint[]) AS k (a, i)"
                " WHERE account_id = k.a AND instrument_id = k.i",
                [[account for account, _ in groundless], [name for _, name in groundless]],
            )
        return Rebuilt(len(compared) - len(groundless), len(wrong), len(groundless))


def _is_later(first_day: int, first_moment: int, row: CostRow) -> bool:
    """True if fills that begin there come after everything that the row holds."""
    if first_day == row.last_day:
        return first_moment > row.last_moment
    return first_day > row.last_day


def _compared(
    cursor: CursorWrapper, entries: str, rows: str, params: dict[str, Any]
) -> Iterator[tuple[tuple[int, int], CostRow | None, CostRow | None]]:
    """Each key with its right row (None: no entry has that key) and its stored row (None: none)."""
    cursor.execute(f"SELECT {_STORED} FROM pnl_cost r WHERE {rows}", params)
    stored = {(row[0], row[1]): CostRow(*row) for row in cursor.fetchall()}
    cursor.execute(f"SELECT {_FOLDED} FROM ({fills_of(entries, places=True)}) f", params)
    for row in _folded(cursor.fetchall()):
        yield row.key, row, stored.pop(row.key, None)
    for key, groundless in stored.items():
        yield key, None, groundless


def _folded(found: Iterable[tuple[Any, ...]]) -> Iterator[CostRow]:
    """Rows of _FOLDED, folded from nothing."""
    for account, name, last_entry, day, moment, count, fills in found:
        yield CostRow(account, name, *fold(numbers(fills, count)), last_entry, day, moment)


def _write(cursor: CursorWrapper, rows: list[CostRow]) -> None:
    if rows:
        columns = zip(*rows, strict=True)
        cursor.execute(_WRITE, ["{" + ",".join(map(str, column)) + "}" for column in columns])


COST = CostProjection()
