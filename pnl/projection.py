"""Holdings and daily activity: what today's P&L is computed from, under one checkpoint."""

from typing import Any

from trades.ledger import Batch


class Activity:
    """Keeps `Holding` and `DailyActivity` in one transaction, so that P&L is never torn between
    what is held and what was traded."""

    name = "pnl"

    def apply(self, cursor: Any, batch: Batch) -> None:
        cursor.execute(
            f"""
            INSERT INTO pnl_holding AS h (account_id, instrument_id, quantity, last_entry)
            SELECT e.account_id, e.instrument_id, sum(e.quantity),
                   (array_agg(e.id ORDER BY e.epoch DESC, e.txid DESC, e.id DESC))[1]
              FROM trades_ledgerentry e
             WHERE {Batch.WHERE}
             GROUP BY e.account_id, e.instrument_id
             ORDER BY e.account_id, e.instrument_id
            ON CONFLICT (account_id, instrument_id) DO UPDATE
               SET quantity = h.quantity + excluded.quantity, last_entry = excluded.last_entry
            """,
            batch.params,
        )
        cursor.execute(
            f"""
            INSERT INTO pnl_dailyactivity AS a
                   (account_id, instrument_id, trade_date, quantity, notional, trades)
            SELECT e.account_id, e.instrument_id, e.trade_date,
                   sum(e.quantity), sum(e.notional), sum(e.trades)
              FROM trades_ledgerentry e
             WHERE {Batch.WHERE}
             GROUP BY e.account_id, e.trade_date, e.instrument_id
             ORDER BY e.account_id, e.trade_date, e.instrument_id
            ON CONFLICT (account_id, trade_date, instrument_id) DO UPDATE
               SET quantity = a.quantity + excluded.quantity,
                   notional = a.notional + excluded.notional,
                   trades = a.trades + excluded.trades
            """,
            batch.params,
        )
