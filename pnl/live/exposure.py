"""What accounts, or groups of them, have at risk at the marks: one statement over the live rows.

A scope is one account or several together. Its long and short market value are the sums of its
rows' of either sign, and no account's row nets another's; a name is what the scope holds of one
instrument in all. A row without a mark counts nowhere but in `unpriced`; P&L is that of
`pnl.live.totals` where every row has its prices.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from kernel import prepared
from kernel.pnl import figures_sql
from prices.marks import MARKS, mark_params, marks_sql

_REFERENCE = "coalesce(m.previous_close, m.mark)"
_PNL = " + ".join(
    f"({formula})"
    for formula in figures_sql(
        traded="a",
        held="h.quantity",
        gain=f"(m.mark - {_REFERENCE})",
        reference=_REFERENCE,
        priced=True,
    ).values()
)


def _sql(marks: str) -> str:
    return f"""
    WITH scope AS MATERIALIZED (
        SELECT * FROM unnest(%(scopes)s::bigint[], %(accounts)s::bigint[]) AS s (scope, account_id)
    ), marks AS MATERIALIZED ({marks}),
    held AS MATERIALIZED (
        SELECT s.scope, h.instrument_id, h.quantity, h.quantity * m.mark AS value,
               CASE WHEN a.trades IS NULL THEN (m.mark - {_REFERENCE}) * h.quantity
                    ELSE {_PNL} END AS pnl
          FROM scope s
          JOIN pnl_holding h ON h.account_id = s.account_id
          LEFT JOIN marks m ON m.instrument_id = h.instrument_id
          LEFT JOIN pnl_dailyactivity a
            ON a.account_id = h.account_id AND a.instrument_id = h.instrument_id
           AND a.trade_date = %(business_date)s
         WHERE h.quantity <> 0 OR a.trades > 0
    ), named AS (
        SELECT scope, max(abs(value)) AS name, max(abs(quantity)) AS position
          FROM (
            SELECT scope, instrument_id, sum(value) AS value, sum(quantity) AS quantity
              FROM held WHERE scope = ANY(%(several)s::bigint[]) GROUP BY 1, 2
             UNION ALL
            SELECT scope, instrument_id, value, quantity
              FROM held WHERE scope <> ALL(%(several)s::bigint[])
          ) n GROUP BY 1
    ), summed AS (
        SELECT scope, coalesce(sum(value) FILTER (WHERE value > 0), 0) AS long,
               coalesce(sum(value) FILTER (WHERE value < 0), 0) AS short,
               coalesce(sum(pnl), 0) AS pnl,
               count(*) FILTER (WHERE value IS NULL AND quantity <> 0) AS unpriced
          FROM held GROUP BY 1
    )
    SELECT scope, long, short, coalesce(name, 0), coalesce(position, 0), pnl, unpriced
      FROM summed JOIN named USING (scope)
    """


_FEW = _sql(
    marks_sql(
        "SELECT DISTINCT instrument_id FROM pnl_holding"
        " WHERE account_id = ANY(%(accounts)s::bigint[])"
    )
)
_MANY = _sql(MARKS)


@dataclass(frozen=True, slots=True)
class Exposure:
    """Market values in the instruments' currency; `short` is not positive. `name` is that of the
    largest name, of either sign, and `position` the largest quantity."""

    long: Decimal = Decimal(0)
    short: Decimal = Decimal(0)
    name: Decimal = Decimal(0)
    position: Decimal = Decimal(0)
    pnl: Decimal = Decimal(0)
    unpriced: int = 0

    @classmethod
    def of(cls, held: Mapping[int, tuple[Decimal, Decimal | None]]) -> "Exposure":
        """Of one account's quantities and marks, by instrument; without P&L."""
        values = [q * mark for q, mark in held.values() if mark is not None]
        zero = Decimal(0)
        return cls(
            long=sum((v for v in values if v > 0), zero),
            short=sum((v for v in values if v < 0), zero),
            name=max(map(abs, values), default=zero),
            position=max((abs(q) for q, _ in held.values()), default=zero),
            unpriced=sum(q != 0 and mark is None for q, mark in held.values()),
        )

    @property
    def net(self) -> Decimal:
        return self.long + self.short

    @property
    def gross(self) -> Decimal:
        return self.long - self.short

    @property
    def name_share(self) -> Decimal:
        """The largest name in percent of gross."""
        return 100 * self.name / self.gross if self.gross else Decimal(0)


def exposures(scopes: Mapping[int, Sequence[int]], now: datetime) -> dict[int, Exposure]:
    """The exposure of each scope, a number with the ids of its accounts. One statement."""
    pairs = [(scope, account) for scope, accounts in scopes.items() for account in accounts]
    few = len(pairs) <= prepared.FEW_ACCOUNTS
    params = {
        **mark_params(now),
        "scopes": [scope for scope, _ in pairs],
        "accounts": [account for _, account in pairs],
        "several": [scope for scope, accounts in scopes.items() if len(accounts) > 1],
    }
    read = prepared.rows if few else prepared.rows_planned
    found = {row[0]: Exposure(*row[1:]) for row in read(_FEW if few else _MANY, params)}
    return {scope: found.get(scope, Exposure()) for scope in scopes}


_HELD = f"""
    WITH marks AS MATERIALIZED ({
    marks_sql(
        "SELECT instrument_id FROM pnl_holding WHERE account_id = %(account)s AND quantity <> 0"
    )
})
    SELECT h.instrument_id, h.quantity, m.mark
      FROM pnl_holding h LEFT JOIN marks m ON m.instrument_id = h.instrument_id
     WHERE h.account_id = %(account)s AND h.quantity <> 0
"""


def held_of(account: int, now: datetime) -> dict[int, tuple[Decimal, Decimal | None]]:
    """What an account holds, and the mark of it, by instrument."""
    found = prepared.rows(_HELD, {**mark_params(now), "account": account})
    return {instrument: (quantity, mark) for instrument, quantity, mark in found}
