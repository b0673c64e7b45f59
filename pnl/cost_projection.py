"""Average cost as a projection of the ledger: appended flows go on, anything earlier replays a key.

Cost depends on the order of trades (trade date, time of execution, trade id), the ledger's reading
order is another, and what is read later may belong earlier. Still the row of a key is a function of
one set, the entries up to the checkpoint:

1. *The set.* A replay takes the key's entries up to the batch's upper bound, by the same comparison
   as the batch. Everything up to it is below the horizon and visible (trades.ledger), so no entry
   is missing, and none beyond it leaks in, whatever is committed meanwhile: neither the trade
   as it is now nor any version beyond the bound is looked at. The terms and the time of execution
   of an entry stand in the version that it names, which never changes.
2. *The order.* The set's net flows (pnl.flows) have one order, so one outcome.
3. *Going on.* The stored row is the outcome of the set up to the old checkpoint. Where every net
   flow of the batch is later than every entry of that set, the new set's flows are the old ones
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
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pnl.costing import NOTHING, Costed, fold
from pnl.flows import flows_of, numbers
from trades.ledger import Batch
from trades.sums import Bounds, Rebuilt, Scope

_BATCH = f"""
    SELECT f.*, c.quantity, c.cost, c.realized_pnl,
           (f.first_trade_date > c.last_trade_date
            OR (f.first_trade_date = c.last_trade_date
                AND f.first_executed_at > c.last_executed_at)) IS NOT FALSE AS is_appended,
           greatest(f.last_trade_date, c.last_trade_date) AS latest_trade_date,
           greatest(f.last_executed_at, c.last_executed_at) AS latest_executed_at
      FROM ({flows_of(Batch.WHERE)}) f
      LEFT JOIN pnl_cost c USING (account_id, instrument_id)
"""

_REPLAY = flows_of(
    "(e.epoch, e.txid, e.id) <= (%(upto_epoch)s, %(upto_txid)s::xid8, %(upto_id)s)",
    entries="unnest(%(accounts)s::bigint[], %(instruments)s::bigint[])"
    " AS k (account_id, instrument_id)"
    " JOIN trades_ledgerentry e USING (account_id, instrument_id)",
)

_COLUMNS = (
    "account_id", "instrument_id", "quantity", "cost", "realized_pnl", "last_entry",
    "last_trade_date", "last_executed_at",
)  # fmt: skip

_WRITE = f"""
    INSERT INTO pnl_cost ({", ".join(_COLUMNS)})
    SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::numeric[], %s::numeric[], %s::numeric[],
                         %s::bigint[], %s::date[], %s::timestamptz[])
    ON CONFLICT (account_id, instrument_id)
    DO UPDATE SET {", ".join(f"{c} = excluded.{c}" for c in _COLUMNS[2:])}
"""


@dataclass(frozen=True, slots=True)
class CostRow:
    """A row of pnl_cost, in the order of its columns."""

    account_id: int
    instrument_id: int
    quantity: Decimal
    cost: Decimal
    realized_pnl: Decimal
    last_entry: int
    last_trade_date: date
    last_executed_at: datetime

    @property
    def key(self) -> tuple[int, int]:
        return self.account_id, self.instrument_id

    def values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in _COLUMNS)


@dataclass(frozen=True)
class CostProjection:
    """The projection of pnl.Cost: see the module."""

    name: str = "cost"

    def apply(self, cursor: Any, batch: Batch) -> int:
        """Go on with the keys of a batch, or replay them. The number of entries."""
        cursor.execute(_BATCH, batch.params)
        found = cursor.fetchall()
        rows, early, entries = [], [], 0
        for row in found:
            account, instrument, count, last_entry, flows, flow_count, *_ = row
            *state, is_appended, last_date, last_executed = row[10:]
            entries += count
            if not is_appended:
                early.append((account, instrument))
                continue
            start = NOTHING if state[0] is None else Costed.of(*state)
            outcome = fold(numbers(flows, flow_count), start)
            rows.append(
                CostRow(
                    account, instrument, *outcome.decimals(), last_entry, last_date, last_executed
                )
            )
        if early:
            cursor.execute(
                _REPLAY,
                {
                    **batch.params,
                    "accounts": [account for account, _ in early],
                    "instruments": [instrument for _, instrument in early],
                },
            )
            rows += _folded(cursor.fetchall())
        _write(cursor, rows)
        return entries

    def survey(self, cursor: Any, bounds: Bounds) -> dict[int, Rebuilt]:
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

    def rebuild(self, cursor: Any, scope: Scope) -> Rebuilt:
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


def _compared(
    cursor: Any, entries: str, rows: str, params: dict[str, Any]
) -> Iterator[tuple[tuple[int, int], CostRow | None, CostRow | None]]:
    """Each key with its right row (None: no entry has that key) and its stored row (None: none)."""
    cursor.execute(f"SELECT {', '.join(_COLUMNS)} FROM pnl_cost r WHERE {rows}", params)
    stored = {row.key: row for row in (CostRow(*found) for found in cursor.fetchall())}
    cursor.execute(flows_of(entries), params)
    for row in _folded(cursor.fetchall()):
        yield row.key, row, stored.pop(row.key, None)
    for key, groundless in stored.items():
        yield key, None, groundless


def _folded(found: Iterable[tuple[Any, ...]]) -> list[CostRow]:
    """Rows of `pnl.flows.flows_of` that begin with a key's first entry, folded."""
    return [
        CostRow(account, instrument, *fold(numbers(flows, count)).decimals(), entry, day, executed)
        for account, instrument, _, entry, flows, count, _, _, day, executed in found
    ]


def _write(cursor: Any, rows: list[CostRow]) -> None:
    if rows:
        columns = zip(*(row.values() for row in rows), strict=True)
        cursor.execute(_WRITE, [list(column) for column in columns])


COST = CostProjection()
