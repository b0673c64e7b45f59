"""Rows of P&L where corporate actions act: which, and their cost.

The cost that is kept (pnl.cost.projection) is that of the fills alone. Keys of instruments whose
shares or cost actions changed are folded anew with them, from the trades, at each read: they are
few. Dividends leave the cost as it is: their income is the sum of legs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from kernel import prepared
from kernel.actions import Action, related
from kernel.money import MAX_DECIMALS
from pnl.acting import Acting
from pnl.cost.acted import ActedCost, Fill, acted_cost
from pnl.cost.fills import entries_with_terms
from pnl.figures import KeyPnl
from prices.actions.read import action_id
from prices.references import references_of
from prices.sessions import sessions
from trades.ledger.legs import AccountEffect, instruments_of
from trades.ledger.sql import STANDING_TRADES, effective_entries

_WANTED = "{0}account_id = ANY(%(accounts)s) AND {0}instrument_id = ANY(%(instruments)s::bigint[])"
_FILLS = """
    SELECT account_id, instrument_id, trade_date, sum(quantity), price, sum(fees)
      FROM ({terms}) e
     GROUP BY account_id, instrument_id, trade_date, executed_at, trade_id, price
    HAVING sum(quantity) <> 0 OR sum(fees) <> 0
     ORDER BY account_id, instrument_id, trade_date, executed_at, trade_id, price
"""
_NOW = f"{STANDING_TRADES} AND trade_date <= %(session)s AND {_WANTED.format('')}"
_THEN = entries_with_terms(
    _WANTED.format("e."),
    entries=f"({effective_entries('%(session)s', '%(known_at)s::timestamptz')}) e",
    few=True,
)


def with_actions(
    rows: Sequence[KeyPnl],
    acting: Acting,
    *,
    session: date,
    now: datetime,
    known_at: datetime | None = None,
    legs: Sequence[AccountEffect] | None = None,
) -> list[KeyPnl]:
    """The rows with the session's actions, their income, and with the cost that actions make of
    the fills. `legs` are those of the session; None: those that are kept."""
    acted = {i for action in acting.actions for i in action.instruments}
    changed = [action for action in acting.actions if not action.is_income_alone]
    costed = related(instruments_of(changed), acting.actions)
    keys = [(row.account_id, row.instrument_id) for row in rows if row.instrument_id in acted]
    anew = [key for key in keys if key[1] in costed]
    costs = _costs(anew, acting.actions, session, now, known_at) if anew else {}
    paid = [key for key in keys if key[1] not in costed]
    incomes = _incomes(paid, acting.actions, session, legs) if paid else {}
    found = []
    for row in rows:
        if row.instrument_id in acted:
            row = replace(row, actions=tuple(acting.of(session, row.instrument_id)))
        if row.instrument_id in costed and row.account_id in costs:
            quantity, cost, realized, income = costs[row.account_id].of(row.instrument_id)
            row = replace(
                row, cost_quantity=quantity, cost=cost, realized_pnl=realized, income=income
            )
        elif (paid_to := incomes.get((row.account_id, row.instrument_id))) is not None:
            row = replace(row, income=paid_to)
        found.append(row)
    return found


_KEPT_INCOMES = """
    SELECT account_id, instrument_id, sum(cash) FROM pnl_actionleg
     WHERE account_id = ANY(%(accounts)s) AND instrument_id = ANY(%(instruments)s::bigint[])
       AND action_id = ANY(%(actions)s::uuid[]) AND ex_date <= %(session)s
     GROUP BY account_id, instrument_id
"""


def _incomes(
    keys: Sequence[tuple[int, int]],
    actions: Sequence[Action],
    session: date,
    legs: Sequence[AccountEffect] | None,
) -> dict[tuple[int, int], Decimal]:
    """The income of keys whose shares and cost no action ever changed."""
    if legs is None:
        params = {
            "accounts": sorted({account for account, _ in keys}),
            "instruments": sorted({instrument for _, instrument in keys}),
            "actions": [action_id(action) for action in actions],
            "session": session,
        }
        return {(a, i): cash for a, i, cash in prepared.rows_planned(_KEPT_INCOMES, params)}
    found: dict[tuple[int, int], Decimal] = {}
    for leg in legs:
        key = leg.account, leg.effect.instrument
        found[key] = found.get(key, Decimal(0)) + leg.effect.cash
    return found


def _costs(
    keys: Iterable[tuple[int, int]],
    actions: Sequence[Action],
    session: date,
    now: datetime,
    known_at: datetime | None,
) -> dict[int, ActedCost]:
    """By account id, the cost of these keys' instruments and of all that hang together."""
    wanted = list(keys)
    instruments = related({instrument for _, instrument in wanted}, actions)
    together = [action for action in actions if action.instrument in instruments]
    accounts = {account for account, _ in wanted}
    return costs_of(accounts, instruments, together, session, now, known_at)


def costs_of(
    accounts: Iterable[int],
    instruments: Iterable[int],
    together: Sequence[Action],
    session: date,
    now: datetime,
    known_at: datetime | None = None,
) -> dict[int, ActedCost]:
    """By account id, the cost at a session's end of instruments that hang together by these
    actions, folded from the trades."""
    accounts, instruments = sorted(accounts), sorted(instruments)
    fills: dict[int, dict[int, list[Fill]]] = {account: {} for account in accounts}
    with connection.cursor() as cursor:
        cursor.execute(
            _FILLS.format(terms=_NOW if known_at is None else _THEN),
            {
                "accounts": accounts,
                "instruments": instruments,
                "session": session,
                "known_at": known_at,
            },
        )
        found: list[Any] = cursor.fetchall()
    for account, instrument, day, quantity, price, fee in found:
        fill = day, _whole(quantity), _whole(price), _whole(fee)
        fills[account].setdefault(instrument, []).append(fill)
    prices = references_of(together, known=sessions(), now=now)
    return {
        account: acted_cost(
            by_instrument, together, lambda action, i: prices.get((action.ex_date, i))
        )
        for account, by_instrument in fills.items()
    }


def _whole(number: Decimal) -> int:
    return int(number.scaleb(MAX_DECIMALS))
