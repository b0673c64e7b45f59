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
from enum import StrEnum
from functools import cache

from kernel import prepared
from kernel.pnl import PARTS, ActedSql, action_pnl_sql, figures_sql
from pnl.acting import KEPT_LEGS, legs_until
from pnl.live.rows import acting_now
from prices.marks import MARKS, mark_params, marks_sql
from prices.references import with_references

_FORMULAS = figures_sql(
    traded="a", held="h.quantity", gain="m.gain", reference="m.reference", priced=True
)
# Gross, as the limits of losses are set.
_PNL = " + ".join(f"({_FORMULAS[name]})" for name in PARTS)
_TRADED_AND_HELD = f"CASE WHEN a.trades IS NULL THEN m.gain * h.quantity ELSE {_PNL} END"


class Part(StrEnum):
    """What of an exposure costs something of its own."""

    NAME = "name"
    POSITION = "position"
    PNL = "pnl"


ALL_PARTS = frozenset(Part)


def _held(parts: frozenset[Part], holdings: str, pnl: str, which: str = "") -> str:
    """Rows by account and instrument; `which` narrows them by a further condition on h."""
    activity = """
          LEFT JOIN pnl_dailyactivity a
            ON a.account_id = h.account_id AND a.instrument_id = h.instrument_id
           AND a.trade_date = %(business_date)s"""
    with_pnl = Part.PNL in parts
    return f"""
        SELECT h.account_id, h.instrument_id, h.quantity, h.quantity * m.mark AS value
               {f", {pnl} AS pnl" if with_pnl else ""}
          FROM {holdings} h
          LEFT JOIN marks m ON m.instrument_id = h.instrument_id{activity if with_pnl else ""}
         WHERE h.account_id = ANY(%(accounts)s::bigint[]){which}
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
    )
"""
_AFTER = "(h.quantity - coalesce(a.quantity, 0))"
_ACTION_PNL = action_pnl_sql(
    ActedSql("h.moved", "h.cash", "h.unpaid", "m.as_traded"),
    # Where nothing was held before, the mark stands for a missing reference, as in pnl.figures.
    f"coalesce(m.previous_close, CASE WHEN {_AFTER} - h.moved = 0 THEN m.mark END)",
    _AFTER,
)
# Of what has ended there is neither mark nor reference, and nothing is held.
_ACTED_PNL = f"""CASE WHEN h.quantity <> 0 OR a.trades > 0 THEN {_TRADED_AND_HELD} ELSE 0 END
                 + CASE WHEN h.acts > 0 THEN {_ACTION_PNL} ELSE 0 END"""
_SEVERAL = """
           AND h.account_id IN (SELECT account_id FROM scope
                                 WHERE scope = ANY(%(several)s::bigint[]))"""


def _largest(column: str) -> str:
    """The largest of either sign, of a column of signed amounts."""
    return f"greatest(max({column}), -min({column})) AS {column}"


def _marks(body: str) -> str:
    return f"""marks AS MATERIALIZED (
        SELECT m.*, m.mark - r.reference AS gain, r.reference
          FROM ({body}) m
         CROSS JOIN LATERAL (SELECT coalesce(m.previous_close, m.mark) AS reference) r)"""


def _sql(marks: str, parts: frozenset[Part], *, acted: bool = False) -> str:
    """`marks`: their query. Each row is made once (OFFSET 0), whatever many sums look at it."""
    of = ("acted", _ACTED_PNL) if acted else ("pnl_holding", _TRADED_AND_HELD)
    largest = {Part.NAME: "value", Part.POSITION: "quantity"}
    shown = [(part, column) for part, column in largest.items() if part in parts]
    columns = "".join(f", {_largest(column)}" for _, column in shown)
    sums = ", sum(pnl) AS pnl" if Part.PNL in parts else ""
    several = f"""
    , named AS (
        SELECT scope{columns}
          FROM (SELECT s.scope, h.instrument_id, sum(h.value) AS value, sum(h.quantity) AS quantity
                  FROM ({_held(parts - {Part.PNL}, of[0], of[1], _SEVERAL)}) h
                  JOIN scope s USING (account_id)
                 WHERE s.scope = ANY(%(several)s::bigint[]) GROUP BY 1, 2) n
         GROUP BY 1
    )"""
    found = {part: f"coalesce(max(n.{column}), max(a.{column}), 0)" for part, column in shown} | {
        Part.PNL: "coalesce(sum(a.pnl), 0)" if sums else "0"
    }
    return f"""
    WITH scope AS MATERIALIZED (
        SELECT * FROM unnest(%(scopes)s::bigint[], %(accounts)s::bigint[]) AS s (scope, account_id)
    ), {_ACTED + "," if acted else ""} {_marks(marks)},
    by_account AS MATERIALIZED (
        SELECT account_id, sum(value) AS net, sum(value) FILTER (WHERE value > 0) AS long,
               count(*) FILTER (WHERE value IS NULL AND quantity <> 0) AS unpriced{columns}{sums}
          FROM ({_held(parts, *of)} OFFSET 0) h GROUP BY 1
    ){several if shown else ""}
    SELECT s.scope, coalesce(sum(a.long), 0), coalesce(sum(a.net), 0) - coalesce(sum(a.long), 0),
           {", ".join(found.get(part, "0") for part in Part)}, sum(a.unpriced)::bigint
      FROM scope s JOIN by_account a USING (account_id)
      {"LEFT JOIN named n USING (scope)" if shown else ""}
     GROUP BY s.scope
    """


_OF_FEW = """
    SELECT DISTINCT instrument_id FROM pnl_holding WHERE account_id = ANY(%(accounts)s::bigint[])
"""


@cache
def _statement(parts: frozenset[Part], *, few: bool, acted: bool) -> str:
    if acted:
        return _sql(with_references(marks_sql(acted=True)), parts, acted=True)
    return _sql(marks_sql(_OF_FEW) if few else MARKS, parts)


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


def exposures(
    scopes: Mapping[int, Sequence[int]], now: datetime, *, parts: frozenset[Part] = ALL_PARTS
) -> dict[int, Exposure]:
    """The exposure of each scope, a number with the ids of its accounts; of the `parts` that are
    not asked for it says 0. One statement, and a look at what acts."""
    pairs = [(scope, account) for scope, accounts in scopes.items() for account in accounts]
    few = len(pairs) <= prepared.FEW_ACCOUNTS
    params = {
        **mark_params(now),
        "scopes": [scope for scope, _ in pairs],
        "accounts": [account for _, account in pairs],
        "several": [scope for scope, accounts in scopes.items() if len(accounts) > 1],
    }
    acting = acting_now(now)
    acted = acting is not None and bool(acting.instruments)
    if acting is not None and acted:
        params |= acting.params
    read = prepared.rows if few and not acted else prepared.rows_planned
    rows = read(_statement(parts, few=few, acted=acted), params)
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
    WITH {_ACTED}, marks AS MATERIALIZED ({with_references(marks_sql(acted=True))})
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
