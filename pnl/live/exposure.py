"""What accounts, or groups of them, have at risk at the marks: one statement over the live rows.

A scope is one account or several together. Its long and short market value are the sums of its
rows' of either sign, and no account's row nets another's; a name is what the scope holds of one
instrument in all. A row without a mark counts nowhere but in `unpriced`; P&L is that of
`pnl.live.totals` where every row has its prices. Where corporate actions act, what they moved is
held, and the marks are in their terms (pnl.acting).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from kernel import prepared
from kernel.pnl import PARTS, ActedSql, action_pnl_sql, figures_sql
from pnl.acting import KEPT_LEGS, legs_until
from pnl.live.rows import acting_now
from prices.marks import MARKS, mark_params, marks_sql
from prices.references import with_references

_REFERENCE = "coalesce(m.previous_close, m.mark)"
_GAIN = f"(m.mark - {_REFERENCE})"
_FORMULAS = figures_sql(
    traded="a", held="h.quantity", gain=_GAIN, reference=_REFERENCE, priced=True
)
# Gross, as the limits of losses are set.
_PNL = " + ".join(f"({_FORMULAS[name]})" for name in PARTS)


_TRADED_AND_HELD = f"CASE WHEN a.trades IS NULL THEN {_GAIN} * h.quantity ELSE {_PNL} END"


def _held(*, holdings: str = "pnl_holding", pnl: str = _TRADED_AND_HELD, or_acts: str = "") -> str:
    return f"""
        SELECT s.scope, h.instrument_id, h.quantity, h.quantity * m.mark AS value,
               {pnl} AS pnl
          FROM scope s
          JOIN {holdings} h ON h.account_id = s.account_id
          LEFT JOIN marks m ON m.instrument_id = h.instrument_id
          LEFT JOIN pnl_dailyactivity a
            ON a.account_id = h.account_id AND a.instrument_id = h.instrument_id
           AND a.trade_date = %(business_date)s
         WHERE h.quantity <> 0 OR a.trades > 0{or_acts}
    """


# What corporate actions made of holdings, by key; either may come alone.
_ACTED = f"""
    legs AS MATERIALIZED ({legs_until(KEPT_LEGS)}),
    acted AS MATERIALIZED (
        SELECT account_id, instrument_id,
               coalesce(h.quantity, 0) + coalesce(l.quantity, 0) AS quantity,
               coalesce(l.moved, 0) AS moved, coalesce(l.cash, 0) AS cash,
               coalesce(l.unpaid, 0) AS unpaid, coalesce(l.acts, 0) AS acts
          FROM (SELECT account_id, instrument_id, quantity FROM pnl_holding
                 WHERE account_id = ANY(%(accounts)s)) h
          FULL JOIN legs l USING (account_id, instrument_id)
    ), marks AS MATERIALIZED ({with_references(marks_sql(acted=True))})
"""
_AFTER = "(h.quantity - coalesce(a.quantity, 0))"
_ACTION_PNL = action_pnl_sql(
    ActedSql("h.moved", "h.cash", "h.unpaid", "m.as_traded"),
    # Where nothing was held before, the mark stands for a missing reference, as in pnl.figures.
    f"coalesce(m.previous_close, CASE WHEN {_AFTER} - h.moved = 0 THEN m.mark END)",
    _AFTER,
)
_ACTED_HELD = _held(
    holdings="acted",
    # Of what has ended there is neither mark nor reference, and nothing is held.
    pnl=f"""CASE WHEN h.quantity <> 0 OR a.trades > 0 THEN {_TRADED_AND_HELD} ELSE 0 END
                 + CASE WHEN h.acts > 0 THEN {_ACTION_PNL} ELSE 0 END""",
    or_acts=" OR h.acts > 0",
)


def _sql(marks: str, held: str = _held()) -> str:
    """`marks`: the CTE of that name."""
    return f"""
    WITH scope AS MATERIALIZED (
        SELECT * FROM unnest(%(scopes)s::bigint[], %(accounts)s::bigint[]) AS s (scope, account_id)
    ), {marks},
    held AS MATERIALIZED ({held}), named AS (
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


def _marks(body: str) -> str:
    return f"marks AS MATERIALIZED ({body})"


_FEW = _sql(
    _marks(
        marks_sql(
            "SELECT DISTINCT instrument_id FROM pnl_holding"
            " WHERE account_id = ANY(%(accounts)s::bigint[])"
        )
    )
)
_MANY = _sql(_marks(MARKS))
_WITH_ACTIONS = _sql(_ACTED, _ACTED_HELD)


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
    """The exposure of each scope, a number with the ids of its accounts. One statement, and a look
    at what acts."""
    pairs = [(scope, account) for scope, accounts in scopes.items() for account in accounts]
    few = len(pairs) <= prepared.FEW_ACCOUNTS
    params = {
        **mark_params(now),
        "scopes": [scope for scope, _ in pairs],
        "accounts": [account for _, account in pairs],
        "several": [scope for scope, accounts in scopes.items() if len(accounts) > 1],
    }
    acting = acting_now(now)
    if acting is not None and acting.instruments:
        rows = prepared.rows_planned(_WITH_ACTIONS, {**params, **acting.params})
    else:
        read = prepared.rows if few else prepared.rows_planned
        rows = read(_FEW if few else _MANY, params)
    found = {row[0]: Exposure(*row[1:]) for row in rows}
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
_HELD_WITH_ACTIONS = f"""
    WITH {_ACTED}
    SELECT h.instrument_id, h.quantity, m.mark
      FROM acted h LEFT JOIN marks m ON m.instrument_id = h.instrument_id
     WHERE h.quantity <> 0
"""


def held_of(account: int, now: datetime) -> dict[int, tuple[Decimal, Decimal | None]]:
    """What an account holds, and the mark of it, by instrument."""
    params = {**mark_params(now), "account": account}
    acting = acting_now(now)
    if acting is None or not acting.instruments:
        found = prepared.rows(_HELD, params)
    else:
        given = {**params, **acting.params, "accounts": [account]}
        found = prepared.rows_planned(_HELD_WITH_ACTIONS, given)
    return {instrument: (quantity, mark) for instrument, quantity, mark in found}
