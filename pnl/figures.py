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

from kernel.pnl import AMOUNTS, Figures, figures_sql, value
from pnl.cost.average_cost import average_cost, fold
from pnl.cost.fills import numbers
from trades.ledger.sql import sums_or_zero


def keyed_columns(
    *, key: str, traded: str, position: str, held: str, updated_at: str, apart: str = "false"
) -> str:
    """The columns of `keyed`. `key` names the row of the key, and `traded` the one with the sums of
    the session's trades, which may be null. `apart`: positions and P&L have read different entries
    of the key."""
    return (
        f"{key}.account_id, {key}.instrument_id, {position} AS position, {held} AS held,"
        f" {apart} AS apart, {sums_or_zero(traded)}, {updated_at} AS updated_at"
    )


# Each row has the first of its reasons in the order of pnl.reasons.
_FIGURES = """
    SELECT f.*,
           CASE WHEN f.trade_pnl IS NULL OR f.position_pnl IS NULL
                THEN CASE WHEN f.previous_close IS NULL AND f.opening <> 0
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
               coalesce(m.stale, false) AS stale,
               coalesce(m.previous_carried, false) AS previous_carried,
               coalesce(m.mark_carried, false) AS mark_carried,
               coalesce(m.previous_doubtful, false) AS previous_doubtful,
               coalesce(m.mark_doubtful, false) AS mark_doubtful,
               s.account_id IS NOT NULL OR q.account_id IS NOT NULL AS settling,
               -- whether a figure of this row needs a price at all, and the mark in particular
               k.quantity <> 0 OR k.held <> 0 AS priced,
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
                            CASE WHEN k.held - k.quantity = 0 THEN m.mark END) AS reference
         ) r
      ) f
"""


def _figures(consumers: str, *, by_session: bool = False) -> str:
    figures = figures_sql(
        traded="k", held="k.held", gain="(m.mark - r.reference)", reference="r.reference"
    )
    key = "k.account_id, k.instrument_id"
    return _FIGURES.format(
        key=f"k.session, {key}" if by_session else key,
        figures=", ".join(f"{formula} AS {name}" for name, formula in figures.items()),
        consumers=consumers,
        and_session=" AND m.session = k.session" if by_session else "",
    )


FIGURES = _figures("'positions', 'pnl'")
# The ledger itself is read: the standstill of a reader changes nothing.
LEDGER_FIGURES = _figures("NULL")
# Past sessions do not read positions_position.
DAILY_FIGURES = _figures("'pnl'", by_session=True)

# After `rows AS (FIGURES)` and `costs` (account_id, instrument_id, quantity, cost, realized_pnl,
# fills, fill_count; the last two where the others are to be folded): the columns of KeyPnl and the
# fills, by account and ticker.
SELECT_KEYS = f"""
    SELECT {", ".join(f"r.{name}" for name in AMOUNTS)},
           ac.code, i.ticker, r.account_id, r.instrument_id, r.position, r.opening, r.held,
           r.trades, r.mark, r.mark_source, r.mark_as_of, r.price_source, r.previous_close,
           r.pnl_reason, r.updated_at, c.quantity, c.cost, c.realized_pnl, c.fills, c.fill_count
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
    pnl_reason: str | None
    updated_at: datetime | None
    cost_quantity: Decimal | None
    cost: Decimal | None
    realized_pnl: Decimal | None

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
