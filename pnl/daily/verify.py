"""End-of-day P&L of the last sessions against the trades as they are now and the effective closes.

Sessions that are being calculated, and keys that a request still asks for, are left out: they are
known to be behind. The figures come from the trades themselves, not from daily activity.
"""

from kernel.pnl import position_pnl_sql, traded_pnl_sql
from prices.closes.effective_close import source_params
from trades.ledger.sql import BEYOND, STANDING
from trades.ledger.verify import Break, breaks_of
from trades.models import LEDGER_SHARDS

SESSIONS = 5


def daily_breaks() -> list[Break]:
    expected = {
        "closing quantity": "r.closing",
        "mark": "r.close",
        "trade P&L": "r.trade_pnl",
        "position P&L": "r.position_pnl",
    }
    columns = {
        "closing quantity": "closing_quantity",
        "mark": "mark",
        "trade P&L": "trade_pnl",
        "position P&L": "position_pnl",
    }
    return [
        found
        for what, right in expected.items()
        for found in breaks_of(
            f"end-of-day P&L, {what}",
            f"""
            WITH {_FIGURES}
            SELECT r.account_id, r.instrument_id, r.session::text, p.{columns[what]}, {right}
              FROM figures r
              LEFT JOIN pnl_dailypnl p
                ON p.account_id = r.account_id AND p.session = r.session
               AND p.instrument_id = r.instrument_id
             WHERE (p.id IS NOT NULL OR r.closing <> 0 OR r.trades <> 0)
               AND p.{columns[what]} IS DISTINCT FROM {right}
            """,
            "pnl",
            source_params(),
        )
    ]


# Previous closes are those that the stored rows name: which session comes before is the calendar's.
_FIGURES = f"""
    standing AS ({STANDING}), beyond AS ({BEYOND}),
    calculated AS MATERIALIZED (
        SELECT s.session, s.shard FROM pnl_sessionrun s
         WHERE s.calculated_at IS NOT NULL AND s.session IN (
            SELECT DISTINCT session FROM pnl_sessionrun ORDER BY session DESC LIMIT {SESSIONS})
    ), traded AS MATERIALIZED (
        SELECT account_id, instrument_id, trade_date, sum(quantity) AS quantity,
               sum(notional) AS notional, sum(trades) AS trades
          FROM (SELECT * FROM standing
                 UNION ALL
                SELECT account_id, instrument_id, trade_date, -quantity, -notional, -trades
                  FROM beyond) t
         GROUP BY account_id, instrument_id, trade_date
    ), held AS (
        SELECT t.account_id, t.instrument_id, k.session, sum(t.quantity) AS closing,
               coalesce(sum(t.quantity) FILTER (WHERE t.trade_date = k.session), 0) AS traded,
               coalesce(sum(t.notional) FILTER (WHERE t.trade_date = k.session), 0) AS notional,
               coalesce(sum(t.trades) FILTER (WHERE t.trade_date = k.session), 0) AS trades
          FROM traded t
          JOIN calculated k
            ON k.shard = t.account_id %% {LEDGER_SHARDS} AND t.trade_date <= k.session
         WHERE NOT EXISTS (
            SELECT FROM pnl_restaterequest q
             WHERE coalesce(q.account_id, t.account_id) = t.account_id
               AND coalesce(q.instrument_id, t.instrument_id) = t.instrument_id)
         GROUP BY t.account_id, t.instrument_id, k.session
    ), closes AS (
        SELECT c.instrument_id, c.session, c.close
          FROM (SELECT array_agg(DISTINCT session) AS days FROM calculated) k
         CROSS JOIN LATERAL eqtrade_effective_closes(k.days, %(source)s) c
    ), figures AS (
        SELECT f.*,
               {traded_pnl_sql("reference", "traded", "notional")} AS trade_pnl,
               {position_pnl_sql("closing", "close", "reference")} AS position_pnl
          FROM (
            SELECT h.*, c.close,
                   coalesce(p.previous_close, CASE WHEN h.closing = h.traded THEN c.close END)
                       AS reference
              FROM held h
              LEFT JOIN closes c
                ON c.instrument_id = h.instrument_id AND c.session = h.session
              LEFT JOIN pnl_dailypnl p
                ON p.account_id = h.account_id AND p.session = h.session
               AND p.instrument_id = h.instrument_id
          ) f
    )
"""
