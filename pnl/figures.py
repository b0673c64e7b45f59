"""The P&L arithmetic of kernel.pnl in SQL, over what is held, what was traded, and marks.

Whoever uses it names three CTEs before: `keyed` (the columns of `keyed_columns`), `marks` (see
prices.marks) and `settling` (account_id, instrument_id). A property test holds it together with the
Python. With marks of several sessions (prices.session_marks) `keyed` has a `session` too:
DAILY_FIGURES.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from kernel.actions import Action
from kernel.pnl import AMOUNTS, ActedSql, Figures, figures_sql, value
from pnl.cost.average_cost import average_cost, fold
from pnl.cost.fills import numbers
from trades.ledger.sql import sums_or_zero
from trades.models import LEDGER_SHARDS


def keyed_columns(
    *,
    key: str,
    traded: str,
    position: str,
    held: str,
    updated_at: str,
    apart: str = "false",
    legs: str | None = None,
) -> str:
    """The columns of `keyed`. `key` names the row of the key, and `traded` the one with the sums of
    the session's trades, which may be null. `apart`: positions and P&L have read different entries
    of the key. `legs` names the row with what corporate actions did (pnl.acting), which may be
    null; None where none act."""
    acted = (
        ""
        if legs is None
        else "".join(f", coalesce({legs}.{c}, 0) AS {a}" for c, a in _OF_LEGS.items())
    )
    return (
        f"{key}.account_id, {key}.instrument_id, {position} AS position, {held} AS held,"
        f" {apart} AS apart, {sums_or_zero(traded)}, {updated_at} AS updated_at{acted}"
    )


_OF_LEGS = {"moved": "moved", "cash": "action_cash", "unpaid": "unpaid"}


# Each row has the first of its reasons in the order of pnl.reasons.
_FIGURES = """
    SELECT f.*,
           CASE WHEN f.trade_pnl IS NULL OR f.position_pnl IS NULL{or_action}
                THEN CASE WHEN f.previous_close IS NULL AND f.opening <> 0{or_before}
                     THEN 'no_previous_close' ELSE 'no_mark' END
                WHEN f.settling THEN 'settling'
                WHEN f.previous_doubtful AND f.priced OR f.mark_doubtful AND f.marked
                THEN 'price_doubtful'
                WHEN f.previous_carried AND f.priced OR f.mark_carried AND f.marked THEN 'carried'
                WHEN f.stale AND f.marked THEN 'stale'
           END AS pnl_reason
      FROM (
        SELECT {key}, k.position, k.held, k.trades, k.updated_at,
               k.held - k.quantity AS opening,
               m.mark, m.mark_source, m.mark_as_of, m.price_source, m.previous_close,
               {as_traded} AS previous_close_as_traded,{before}
               coalesce(m.stale, false) AS stale,
               coalesce(m.previous_carried, false) AS previous_carried,
               coalesce(m.mark_carried, false) AS mark_carried,
               coalesce(m.previous_doubtful, false) AS previous_doubtful,
               coalesce(m.mark_doubtful, false) AS mark_doubtful,
               s.account_id IS NOT NULL OR q.account_id IS NOT NULL{or_folding} AS settling,
               -- whether a figure of this row needs a price at all, and the mark in particular
               k.quantity <> 0 OR k.held <> 0{or_moved} AS priced,
               k.held <> 0 OR (k.quantity <> 0 AND m.previous_close IS NULL) AS marked,
               {figures}
          FROM keyed k
          LEFT JOIN marks m ON m.instrument_id = k.instrument_id{and_session}
          LEFT JOIN settling s
            ON k.apart AND s.account_id = k.account_id AND s.instrument_id = k.instrument_id
          LEFT JOIN (SELECT DISTINCT account_id FROM trades_quarantine
                      WHERE consumer IN ({consumers})) q
            ON q.account_id = k.account_id
         CROSS JOIN LATERAL (
            SELECT coalesce(m.previous_close,
                            CASE WHEN {held_before} = 0 THEN m.mark END) AS reference
         ) r
      ) f
"""


_PLAIN = {
    "or_action": "", "or_before": "", "as_traded": "m.previous_close", "before": "",
    "or_folding": "", "or_moved": "", "held_before": "k.held - k.quantity",
}  # fmt: skip
# Where corporate actions act, the previous close stands for what was held before them, and while
# legs wait to be folded a key is settling.
_ACTED = {
    "or_action": " OR f.action_pnl IS NULL",
    "or_before": " OR f.previous_close_as_traded IS NULL AND f.held_before <> 0",
    "as_traded": "m.as_traded",
    "before": " k.held - k.quantity - k.moved AS held_before,",
    "or_folding": f"""
                   OR EXISTS (SELECT FROM pnl_actionwork w
                               WHERE w.shard = k.account_id %% {LEDGER_SHARDS}
                                 AND w.instrument_id = k.instrument_id)""",
    "or_moved": " OR k.moved <> 0 OR k.unpaid <> 0",
    "held_before": "k.held - k.quantity - k.moved",
}


def figures_query(
    consumers: str,
    *,
    by_session: bool = False,
    by_strategy: bool = False,
    acted: bool = False,
    kept: bool = True,
) -> str:
    """Rows of figures. `consumers` are those, in quotes, whose quarantine makes them doubtful.
    `kept`: the legs are those that are kept, which may wait to be folded anew."""
    figures = figures_sql(
        traded="k",
        held="k.held",
        gain="(m.mark - r.reference)",
        reference="r.reference",
        acted=ActedSql("k.moved", "k.action_cash", "k.unpaid", "m.as_traded") if acted else None,
    )
    key = f"k.account_id, {'k.strategy_id, ' if by_strategy else ''}k.instrument_id"
    return _FIGURES.format(
        key=f"k.session, {key}" if by_session else key,
        figures=", ".join(f"{formula} AS {name}" for name, formula in figures.items()),
        consumers=consumers,
        and_session=" AND m.session = k.session" if by_session else "",
        **{**(_ACTED if acted else _PLAIN), **({} if kept else {"or_folding": ""})},
    )


FIGURES = figures_query("'positions', 'pnl'")
# The ledger itself is read: the standstill of a reader changes nothing.
LEDGER_FIGURES = figures_query("NULL")
# Past sessions do not read positions_position.
DAILY_FIGURES = figures_query("'pnl'", by_session=True)
# The same where corporate actions act.
ACTED_FIGURES = figures_query("'positions', 'pnl'", acted=True)
ACTED_LEDGER_FIGURES = figures_query("NULL", acted=True, kept=False)
ACTED_DAILY_FIGURES = figures_query("'pnl'", by_session=True, acted=True)

# After `rows AS (FIGURES)` and `costs` (account_id, instrument_id, quantity, cost, realized_pnl,
# fills, fill_count; the last two where the others are to be folded): the columns of KeyPnl and the
# fills, by account and ticker.
SELECT_KEYS = f"""
    SELECT {", ".join(f"r.{name}" for name in AMOUNTS)},
           ac.code, i.ticker, r.account_id, r.instrument_id, r.position, r.opening, r.held,
           r.trades, r.mark, r.mark_source, r.mark_as_of, r.price_source, r.previous_close,
           r.previous_close_as_traded, r.pnl_reason, r.updated_at, c.quantity, c.cost,
           c.realized_pnl, c.fills, c.fill_count
      FROM rows r
      JOIN accounts_account ac ON ac.id = r.account_id
      JOIN prices_instrument i ON i.id = r.instrument_id
      LEFT JOIN costs c
        ON c.account_id = r.account_id AND c.instrument_id = r.instrument_id
     ORDER BY ac.code COLLATE "C", i.ticker COLLATE "C"
"""


@dataclass(frozen=True, slots=True)
class KeyPnl(Figures[Decimal | None]):
    """One account and instrument on the business date. Figures are null where a needed price is
    missing, and then, or where they are doubtful, `pnl_reason` says why."""

    account: str
    ticker: str
    account_id: int
    instrument_id: int
    position: Decimal
    opening: Decimal
    held: Decimal
    trades: int
    mark: Decimal | None
    mark_source: str | None
    mark_as_of: datetime | None
    price_source: str | None
    previous_close: Decimal | None
    previous_close_as_traded: Decimal | None
    pnl_reason: str | None
    updated_at: datetime | None
    cost_quantity: Decimal | None
    cost: Decimal | None
    realized_pnl: Decimal | None
    income: Decimal = Decimal(0)
    actions: tuple[Action, ...] = ()

    @property
    def average_cost(self) -> Decimal | None:
        return average_cost(self.cost_quantity, self.cost)

    @property
    def unrealized_pnl(self) -> Decimal | None:
        """Market value − cost of the quantity that the cost is of: the two are never torn."""
        if self.cost is None or self.cost_quantity is None:
            return None
        worth = value(self.cost_quantity, self.mark)
        return None if worth is None else worth - self.cost


def key_rows_of(found: Iterable[tuple[Any, ...]]) -> list[KeyPnl]:
    """The rows of SELECT_KEYS, with fills folded where there are any to fold."""
    rows = []
    for *values, fills, count in found:
        if count is not None:
            values[-3:] = fold(numbers(fills, count)).decimals()
        rows.append(KeyPnl(*values))
    return rows
