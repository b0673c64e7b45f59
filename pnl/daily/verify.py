"""End-of-day P&L of the last sessions against the trades as they are now and the effective closes.

Sessions that are being calculated, and keys that a request still asks for, are left out: they are
known to be behind. Legs of corporate actions are those that are kept: `pnl.activity.verify`
compares them with the trades. The figures come from the trades themselves, not from daily activity.
"""

from kernel.pnl import AMOUNTS, SHOWN, ActedSql, figures_sql
from prices.closes.effective_close import source_params
from trades.ledger.sql import BEYOND, STANDING, SUMS, sums_of
from trades.ledger.verify import Break, breaks_of
from trades.models import LEDGER_SHARDS

SESSIONS = 5


def daily_breaks() -> list[Break]:
    return [
        found
        for column, (what, right) in _EXPECTED.items()
        for found in breaks_of(
            f"end-of-day P&L, {what}",
            f"""
            WITH {_FIGURES}
            SELECT r.account_id, r.instrument_id, r.session::text, p.{column}, r.{right}
              FROM figures r
              LEFT JOIN pnl_dailypnl p
                ON p.account_id = r.account_id AND p.session = r.session
               AND p.instrument_id = r.instrument_id
             WHERE (p.id IS NOT NULL OR r.closing <> 0 OR r.trades <> 0 OR r.action_pnl <> 0)
               AND p.{column} IS DISTINCT FROM r.{right}
            """,
            "pnl",
            source_params(),
        )
    ]


# Columns of pnl_dailypnl, each with its name for people and the column of `figures` that it is of.
_EXPECTED = {
    "closing_quantity": ("closing quantity", "closing"),
    "mark": ("mark", "close"),
    **{name: (SHOWN[name], name) for name in AMOUNTS},
}

_FORMULAS = figures_sql(
    traded="f",
    held="f.closing",
    gain="(f.close - f.reference)",
    reference="f.reference",
    acted=ActedSql("f.moved", "f.cash", "f.unpaid", "f.as_traded"),
)
_OF_SESSION = ", ".join(
    f"coalesce(sum(t.{name}) FILTER (WHERE t.trade_date = k.session), 0) AS {name}" for name in SUMS
)
_ACTS_OF_SESSION = ", ".join(
    f"coalesce(sum(t.{name}) FILTER (WHERE t.trade_date = k.session), 0) AS {name}"
    for name in ("moved", "cash", "unpaid")
)
_KEY_AND_DATE = "account_id, instrument_id, trade_date"

# Previous closes are those that the stored rows name: which session comes before is the calendar's.
_FIGURES = f"""
    standing AS ({STANDING}), beyond AS ({BEYOND}),
    calculated AS MATERIALIZED (
        SELECT s.session, s.shard FROM pnl_sessionrun s
         WHERE s.calculated_at IS NOT NULL AND s.session IN (
            SELECT DISTINCT session FROM pnl_sessionrun ORDER BY session DESC LIMIT {SESSIONS})
    ), traded AS MATERIALIZED (
        SELECT {_KEY_AND_DATE}, {sums_of("t")}
          FROM (SELECT {_KEY_AND_DATE}, {", ".join(SUMS)} FROM standing
                 UNION ALL
                SELECT {_KEY_AND_DATE}, {", ".join(f"-{name}" for name in SUMS)} FROM beyond) t
         GROUP BY {_KEY_AND_DATE}
    ), held AS (
        SELECT t.account_id, t.instrument_id, k.session, sum(t.quantity + t.moved) AS closing,
               {_OF_SESSION}, {_ACTS_OF_SESSION}
          FROM (SELECT *, 0::numeric AS moved, 0::numeric AS cash, 0::numeric AS unpaid
                  FROM traded
                 UNION ALL
                SELECT account_id, instrument_id, ex_date, {", ".join(f"0 AS {n}" for n in SUMS)},
                       quantity, cash, unpaid
                  FROM pnl_actionleg) t
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
        SELECT f.account_id, f.instrument_id, f.session, f.closing, f.trades, f.close,
               {", ".join(f"{formula} AS {name}" for name, formula in _FORMULAS.items())}
          FROM (
            SELECT h.*, c.close,
                   coalesce(p.previous_close,
                            CASE WHEN h.closing = h.quantity + h.moved THEN c.close END)
                       AS reference,
                   coalesce(p.previous_close_as_traded, p.previous_close) AS as_traded
              FROM held h
              LEFT JOIN closes c
                ON c.instrument_id = h.instrument_id AND c.session = h.session
              LEFT JOIN pnl_dailypnl p
                ON p.account_id = h.account_id AND p.session = h.session
               AND p.instrument_id = h.instrument_id
          ) f
    )
"""
