"""The CTE `keyed` of pnl.figures by strategy: what is held at sessions' ends, and traded on them.

It sums moves: what was held before the first of the sessions, what was traded since, and what
corporate actions moved. Moves are those that are kept, or the ledger's entries as known at a
moment, of one session.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django.db import connection

from pnl.acting import Acting
from prices.sessions import Sessions
from trades.ledger.legs import (
    GIVEN_STRATEGY_LEGS,
    StrategyEffect,
    folded_by_strategy,
    instruments_of,
    strategy_leg_params,
    strategy_legs,
)
from trades.ledger.sql import SUMS, effective_entries, strategy_of

KEY = ("account_id", "strategy_id", "instrument_id")
_WANTED = """
    {0}account_id = ANY(%(accounts)s::bigint[])
    AND (%(instruments)s::bigint[] IS NULL OR {0}instrument_id = ANY(%(instruments)s::bigint[]))
"""
_OTHER_SUMS = tuple(name for name in SUMS if name != "quantity")
_NO_SUMS = ", ".join("0::numeric" for _ in _OTHER_SUMS)

ASKED = """
    asked AS MATERIALIZED (
        SELECT * FROM unnest(%(days)s::date[], %(previous_days)s::date[])
            AS a (session, previous)
    )
"""


def _kept_moves(which: str) -> str:
    wanted = f"{_WANTED.format('')} {which}"
    sums = ", ".join(("quantity", *_OTHER_SUMS))
    return f"""
    traded AS MATERIALIZED (
        SELECT {", ".join(KEY)}, trade_date AS day, {sums}
          FROM pnl_strategyactivity WHERE {wanted} AND trade_date >= %(first_day)s
    ), moves AS (
        SELECT h.account_id, h.strategy_id, h.instrument_id, '-infinity'::date AS day,
               h.quantity - coalesce(t.quantity, 0) AS quantity, true AS is_trade, {_NO_SUMS}
          FROM (SELECT * FROM pnl_strategyholding WHERE {wanted}) h
          LEFT JOIN (SELECT {", ".join(KEY)}, sum(quantity) AS quantity
                       FROM traded GROUP BY {", ".join(KEY)}) t USING ({", ".join(KEY)})
         UNION ALL
        SELECT {", ".join(KEY)}, day, quantity, true, {", ".join(_OTHER_SUMS)} FROM traded
    """


def _entry_moves(known_at: str | None) -> str:
    sums = ", ".join(f"e.{name}" for name in _OTHER_SUMS)
    return f"""
    moves AS (
        SELECT e.account_id, {strategy_of("e")}, e.instrument_id, e.trade_date, e.quantity, true,
               {sums}
          FROM ({effective_entries("%(last_day)s", known_at)}) e
         WHERE {_WANTED.format("e.")}
    """


_LEG_MOVES = f"""
         UNION ALL
        SELECT account_id, strategy_id, instrument_id, ex_date, quantity, false, {_NO_SUMS}
          FROM legs
"""
_NAMED = f"({', '.join(KEY)}, day, quantity, is_trade, {', '.join(_OTHER_SUMS)})"


def keyed(
    *,
    entries: bool = False,
    known_at: bool = False,
    acted: bool = False,
    which: str = "",
) -> str:
    """The CTEs `asked`, `moves` and `keyed`. `entries`: of the ledger, else of what is kept;
    `acted`: with legs, `leg_params`; `which`: a further condition on account_id and
    instrument_id."""
    moves = (
        _entry_moves("%(known_at)s::timestamptz" if known_at else None)
        if entries
        else _kept_moves(which)
    )
    legs = f"legs AS MATERIALIZED ({_LEGS.format(which=which)}), " if acted else ""
    body = moves.replace("moves AS (", f"moves {_NAMED} AS (", 1)
    of_day = "m.is_trade AND m.day = a.session"
    sums = ", ".join(f"coalesce(sum(m.{s}) FILTER (WHERE {of_day}), 0) AS {s}" for s in SUMS)
    acted_columns, or_acts = "", ""
    if acted:
        acted_columns = """,
               coalesce(l.moved, 0) AS moved, coalesce(l.cash, 0) AS action_cash,
               coalesce(l.unpaid, 0) AS unpaid"""
        or_acts = " OR l.acts > 0"
    grouped = f"""
        SELECT a.session, a.previous, {", ".join(f"m.{k}" for k in KEY)},
               sum(m.quantity) AS held, {sums}
          FROM moves m JOIN asked a ON m.day <= a.session
         GROUP BY a.session, a.previous, {", ".join(f"m.{k}" for k in KEY)}
    """
    of_legs = (
        """
          LEFT JOIN LATERAL (
            SELECT sum(quantity) AS moved, sum(cash) AS cash, sum(unpaid) AS unpaid,
                   count(*) AS acts
              FROM legs l
             WHERE l.account_id = k.account_id AND l.strategy_id = k.strategy_id
               AND l.instrument_id = k.instrument_id
               AND l.ex_date > k.previous AND l.ex_date <= k.session
          ) l ON true"""
        if acted
        else ""
    )
    return f"""{ASKED}, {legs}{body}{_LEG_MOVES if acted else ""}
    ), keyed AS MATERIALIZED (
        SELECT k.session, {", ".join(f"k.{k}" for k in KEY)}, k.held AS position, k.held,
               false AS apart, {", ".join(f"k.{s}" for s in SUMS)},
               NULL::timestamptz AS updated_at{acted_columns}
          FROM ({grouped}) k{of_legs}
         WHERE %(include_flat)s OR k.held <> 0 OR k.trades > 0{or_acts}
    )"""


_LEGS = f"""
    SELECT * FROM ({GIVEN_STRATEGY_LEGS}) g
     WHERE ex_date <= %(last_day)s AND {_WANTED.format("")} {{which}}
"""


def keyed_params(
    known: Sessions,
    days: Iterable[date],
    accounts: Iterable[int],
    instruments: Iterable[int] | None = None,
    include_flat: bool = False,
) -> dict[str, Any]:
    """The parameters of `keyed`, but for those of legs."""
    asked = sorted(set(days))
    return {
        "days": asked,
        "previous_days": [known.previous_session(day) for day in asked],
        "first_day": asked[0],
        "last_day": asked[-1],
        "accounts": list(accounts),
        "instruments": None if instruments is None else list(instruments),
        "include_flat": include_flat,
    }


_ACTIVITY = """
    SELECT account_id, strategy_id, instrument_id, trade_date, quantity FROM pnl_strategyactivity
     WHERE account_id = ANY(%s::bigint[]) AND instrument_id = ANY(%s::bigint[]) AND trade_date < %s
"""


def legs_of(
    acting: Acting,
    accounts: Iterable[int],
    *,
    entries: bool = False,
    known_at: datetime | None = None,
) -> Sequence[StrategyEffect]:
    """The legs of these actions by strategy, folded from what is kept, or from the ledger."""
    of = list(accounts)
    if entries:
        return strategy_legs(acting.actions, accounts=of, known_at=known_at)
    last = max(action.ex_date for action in acting.actions)
    with connection.cursor() as cursor:
        cursor.execute(_ACTIVITY, [of, sorted(instruments_of(acting.actions)), last])
        return folded_by_strategy(cursor.fetchall(), acting.actions)


def acted_params(acting: Acting, legs: Sequence[StrategyEffect]) -> dict[str, Any]:
    return {**acting.params, **strategy_leg_params(legs)}
