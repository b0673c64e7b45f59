"""Positions as a projection of the ledger: Σ signed quantity per account and instrument."""

from typing import Any

from trades.ledger import Batch


class Positions:
    """`last_entry` becomes the batch's last entry of the key in the ledger's reading order."""

    name = "positions"

    def apply(self, cursor: Any, batch: Batch) -> None:
        cursor.execute(
            f"""
            INSERT INTO positions_position AS p
                   (account_id, instrument_id, quantity, last_entry, updated_at)
            SELECT e.account_id, e.instrument_id, sum(e.quantity),
                   (array_agg(e.id ORDER BY e.epoch DESC, e.txid DESC, e.id DESC))[1],
                   clock_timestamp()
              FROM trades_ledgerentry e
             WHERE {Batch.WHERE}
             GROUP BY e.account_id, e.instrument_id
             ORDER BY e.account_id, e.instrument_id
            ON CONFLICT (account_id, instrument_id) DO UPDATE
               SET quantity = p.quantity + excluded.quantity,
                   last_entry = excluded.last_entry,
                   updated_at = excluded.updated_at
            """,
            batch.params,
        )
