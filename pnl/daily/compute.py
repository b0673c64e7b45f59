"""P&L of sessions by key, in SQL: from holdings, daily activity and closes.

`computed` gives CTEs that end in `computed`, one row for each session of `days` and key of `wanted`
(account_id, instrument_id, first, last) that the key's dates cover. What was held at a session's
end is the present holding less what was traded after it, so that no more of the past is read than
was asked for; holdings and activity are kept under one checkpoint, so one statement sees them
agree. Columns: those of pnl.figures and `session`; `held` is the closing quantity.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from pnl.acting import KEPT_LEGS, Acting
from pnl.figures import ACTED_DAILY_FIGURES, DAILY_FIGURES, keyed_columns
from prices.references import with_references
from prices.session_marks import SESSION_MARKS, session_mark_params
from prices.sessions import Sessions
from trades.ledger.sql import SUMS
from trades.models import LEDGER_SHARDS


def computed(*, acted: bool = False) -> str:
    """The CTEs. `acted`: where corporate actions act (pnl.acting), whose legs move what is held on
    their ex-dates, before any trade."""
    columns = keyed_columns(
        key="w", traded="t", position="w.held", held="w.held", updated_at="NULL::timestamptz",
        legs="l" if acted else None,
    )  # fmt: skip
    texts = {"columns": columns, **(_ACTED if acted else _PLAIN)}
    found = _COMPUTED
    for name, text in texts.items():
        found = found.replace(f"<{name}>", text)
    return found


_PLAIN = {
    "marks": SESSION_MARKS, "legs": "", "earlier": "", "moves": "", "of_day": "",
    "figures": DAILY_FIGURES, "as_traded": "NULL::numeric",
}  # fmt: skip
_ACTED = {
    "marks": f"""{SESSION_MARKS.replace("marks AS MATERIALIZED", "as_traded AS MATERIALIZED")},
    marks AS MATERIALIZED ({with_references("SELECT * FROM as_traded", by_session=True)})""",
    "legs": f"""legs AS MATERIALIZED (
        SELECT l.* FROM ({KEPT_LEGS}) l
          JOIN wanted w ON w.account_id = l.account_id AND w.instrument_id = l.instrument_id
         WHERE l.ex_date <= %(last_day)s
    ), """,
    "earlier": """
               + coalesce((SELECT sum(l.quantity) FROM legs l
                            WHERE l.account_id = w.account_id AND l.ex_date < w.first
                              AND l.instrument_id = w.instrument_id), 0)""",
    "moves": """
             UNION ALL
            SELECT l.account_id, l.instrument_id, l.ex_date, l.quantity, false
              FROM legs l
              JOIN wanted w ON w.account_id = l.account_id
                           AND w.instrument_id = l.instrument_id AND l.ex_date >= w.first""",
    "of_day": """
          JOIN days d ON d.session = w.day
          LEFT JOIN LATERAL (
            SELECT sum(quantity) AS moved, sum(cash) AS cash, sum(unpaid) AS unpaid
              FROM legs l
             WHERE l.account_id = w.account_id AND l.instrument_id = w.instrument_id
               AND l.ex_date > d.previous AND l.ex_date <= d.session
          ) l ON true""",
    "figures": ACTED_DAILY_FIGURES,
    "as_traded": """CASE WHEN c.previous_close_as_traded IS DISTINCT FROM c.previous_close
                         THEN c.previous_close_as_traded END""",
}

_COMPUTED = f"""
    priced AS MATERIALIZED (SELECT DISTINCT instrument_id FROM wanted),
    <marks>,
    <legs>traded AS MATERIALIZED (
        SELECT a.account_id, a.instrument_id, a.trade_date, {", ".join(f"a.{s}" for s in SUMS)}
          FROM pnl_dailyactivity a
          JOIN wanted w ON w.account_id = a.account_id AND w.instrument_id = a.instrument_id
                       AND a.trade_date >= w.first
         WHERE a.account_id = ANY(%(accounts)s) AND a.trade_date >= %(first_day)s
    ), opened AS MATERIALIZED (
        SELECT w.account_id, w.instrument_id, w.first, w.last,
               coalesce(h.quantity, 0) - coalesce(t.quantity, 0)<earlier> AS opening
          FROM wanted w
          LEFT JOIN pnl_holding h
            ON h.account_id = w.account_id AND h.instrument_id = w.instrument_id
          LEFT JOIN (SELECT account_id, instrument_id, sum(quantity) AS quantity
                       FROM traded GROUP BY account_id, instrument_id) t
            ON t.account_id = w.account_id AND t.instrument_id = w.instrument_id
    ), asked AS (
        SELECT o.account_id, o.instrument_id, d.session
          FROM opened o JOIN days d ON d.session BETWEEN o.first AND o.last
    ), walked AS (
        -- Trade dates that are no session any more still move the quantity.
        SELECT m.account_id, m.instrument_id, m.day, m.is_asked,
               o.opening + sum(m.quantity) OVER (
                   PARTITION BY m.account_id, m.instrument_id ORDER BY m.day
                   RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS held
          FROM (
            SELECT account_id, instrument_id, session AS day, 0::numeric AS quantity,
                   true AS is_asked
              FROM asked
             UNION ALL
            SELECT account_id, instrument_id, trade_date, quantity, false FROM traded<moves>
          ) m
          JOIN opened o ON o.account_id = m.account_id AND o.instrument_id = m.instrument_id
    ), keyed AS MATERIALIZED (
        SELECT w.day AS session, <columns>
          FROM walked w
          LEFT JOIN traded t ON t.account_id = w.account_id AND t.instrument_id = w.instrument_id
                            AND t.trade_date = w.day<of_day>
         WHERE w.is_asked
    ), settling AS (SELECT 0::bigint AS account_id, 0::bigint AS instrument_id WHERE false),
    computed AS (SELECT c.*, <as_traded> AS as_traded_apart FROM (<figures>) c)
"""


def computed_params(
    known: Sessions,
    days: Iterable[date],
    accounts: Iterable[int],
    instruments: Iterable[int] | None = None,
    acting: Acting | None = None,
) -> dict[str, Any]:
    """The parameters of `computed`. `days` must hold one session at least, and `accounts` and
    `instruments` (None: any) all those of `wanted`."""
    params = session_mark_params(known, days, instruments)
    return {
        **params,
        **({} if acting is None else acting.params),
        "first_day": params["days"][0],
        "last_day": params["days"][-1],
        "accounts": list(accounts),
        "shards": LEDGER_SHARDS,
    }
