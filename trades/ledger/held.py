"""What the ledger holds of one key, without adding up all of its entries: the quantity that a
reader keeps, and what lies beyond its checkpoint. In a statement of its own snapshot both are of
one moment, for a checkpoint moves in the transaction that applies.
"""

from trades.ledger.registry import LedgerReader, readers
from trades.ledger.sql import BEYOND_CHECKPOINT, ORDER
from trades.models import LEDGER_SHARDS

MOST_BEYOND = 1_000
"""Entries of a shard. Where a reader is further behind, the key's own entries are added up."""


def held_of_key(account: str, instrument: str) -> str:
    """The expression of the quantity held, 0 of a key without entries. `account` and `instrument`
    are expressions of ids, columns with their table's name."""
    of_key = f"e.account_id = {account} AND e.instrument_id = {instrument}"
    every = f"(SELECT coalesce(sum(e.quantity), 0) FROM trades_ledgerentry e WHERE {of_key})"
    reader = _keeper()
    if reader is None:
        return every
    return f"""(
    SELECT CASE WHEN b.entries > {MOST_BEYOND} OR EXISTS (
                    SELECT FROM trades_quarantine
                     WHERE consumer = '{reader.consumer}' AND account_id = {account})
                THEN {every}
                ELSE b.quantity + coalesce((
                    SELECT quantity FROM {reader.quantities}
                     WHERE account_id = {account} AND instrument_id = {instrument}), 0)
           END
      FROM (
        SELECT count(*) AS entries, coalesce(sum(e.quantity) FILTER (WHERE {of_key}), 0) AS quantity
          FROM (
            SELECT e.account_id, e.instrument_id, e.quantity
              FROM (SELECT ({account} %% {LEDGER_SHARDS})::smallint AS shard) s
              LEFT JOIN trades_checkpoint c
                ON c.consumer = '{reader.consumer}' AND c.shard = s.shard
             CROSS JOIN LATERAL (
                SELECT e.account_id, e.instrument_id, e.quantity FROM trades_ledgerentry e
                 WHERE e.shard = s.shard AND {BEYOND_CHECKPOINT}
                 -- In the order of the index: else the whole ledger may be looked through.
                 ORDER BY {ORDER}
                 LIMIT {MOST_BEYOND + 1}) e
          ) e
      ) b)"""


def _keeper() -> LedgerReader | None:
    """The reader that keeps quantities by key; None where none is registered."""
    return next((reader for reader in readers() if reader.quantities is not None), None)
