"""What corporate actions make of the ledger: their legs, folded from the quantities traded.

This is the one place that says what is effective at a session besides entries. Legs are a pure
function (`kernel.actions.fold`) of the entries of the instruments that hang together, dated before
the ex-dates, and of the actions that count; both as known at a moment, where one is given. Readers
that keep legs beside their sums fold the same way.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from kernel.actions import Action, Effect, fold, fold_parts, related
from prices.actions.read import actions_counting
from trades.acted_position import ActedBook, ActedPosition
from trades.ledger.sql import effective_entries, strategy_of

Traded = dict[int, dict[int, dict[date, Decimal]]]
"""By account id and instrument id, the signed quantity of each trade date."""


TradedByStrategy = dict[int, dict[int, dict[int, dict[date, Decimal]]]]
"""By account id, strategy id and instrument id, the signed quantity of each trade date."""


@dataclass(frozen=True, slots=True)
class AccountEffect:
    """What one action does in one account and instrument."""

    account: int
    effect: Effect


@dataclass(frozen=True, slots=True)
class StrategyEffect(AccountEffect):
    """What it does in one of the account's strategies."""

    strategy: int


def instruments_of(actions: Iterable[Action]) -> set[int]:
    """All that these actions concern."""
    return {instrument for action in actions for instrument in action.instruments}


def effective_actions(
    session: date, known_at: datetime | None = None, instruments: Iterable[int] | None = None
) -> list[Action]:
    """The actions that count at a session, of these instruments and all that hang together with
    them. One look at a small index where there are none."""
    found = [each for each in actions_counting(known_at) if each.ex_date <= session]
    if not found or instruments is None:
        return found
    wanted = related(instruments, found)
    return [action for action in found if action.instrument in wanted]


def folded(traded: Traded, actions: Sequence[Action]) -> list[AccountEffect]:
    """The effects on each account, in the order of the actions."""
    return [
        AccountEffect(account, effect)
        for account, by_instrument in sorted(traded.items())
        for effect in fold(by_instrument, actions)
    ]


def ledger_legs(
    actions: Sequence[Action],
    *,
    accounts: Iterable[int] | None = None,
    known_at: datetime | None = None,
) -> list[AccountEffect]:
    """The effects of these actions, folded straight from the ledger; of these accounts or of all.
    They must hang together: `effective_actions`. No query where there are none."""
    if not actions:
        return []
    return folded(traded_of(actions, accounts=accounts, known_at=known_at), actions)


def strategy_legs(
    actions: Sequence[Action],
    *,
    accounts: Iterable[int],
    known_at: datetime | None = None,
) -> list[StrategyEffect]:
    """`ledger_legs` by strategy: those of an account add up to its own."""
    if not actions:
        return []
    known = None if known_at is None else "%(known_at)s::timestamptz"
    with connection.cursor() as cursor:
        cursor.execute(
            _TRADED_BY_STRATEGY.format(entries=effective_entries("%(upto)s::date", known)),
            _traded_params(actions, accounts, known_at),
        )
        return folded_by_strategy(cursor.fetchall(), actions)


def folded_by_strategy(rows: Iterable[Any], actions: Sequence[Action]) -> list[StrategyEffect]:
    """The effects on each strategy of each account, from rows of account, strategy and instrument
    id, trade date and quantity."""
    traded: TradedByStrategy = {}
    for account, strategy, instrument, day, quantity in rows:
        of = traded.setdefault(account, {}).setdefault(strategy, {}).setdefault(instrument, {})
        of[day] = of.get(day, Decimal(0)) + quantity
    return [
        StrategyEffect(account, effect, strategy)
        for account, by_strategy in sorted(traded.items())
        for strategy, effect in fold_parts(dict(sorted(by_strategy.items())), actions)
    ]


_TRADED_BY_STRATEGY = f"""
    SELECT e.account_id, {strategy_of("e")}, e.instrument_id, e.trade_date, sum(e.quantity)
      FROM ({{entries}}) e
     WHERE e.instrument_id = ANY(%(instruments)s::bigint[])
       AND e.account_id = ANY(%(accounts)s::bigint[])
     GROUP BY 1, 2, 3, 4
"""

_TRADED = """
    SELECT account_id, instrument_id, trade_date, sum(quantity)
      FROM ({entries}) e
     WHERE instrument_id = ANY(%(instruments)s::bigint[])
       AND (%(accounts)s::bigint[] IS NULL OR account_id = ANY(%(accounts)s::bigint[]))
     GROUP BY account_id, instrument_id, trade_date
"""


def traded_of(
    actions: Sequence[Action],
    *,
    accounts: Iterable[int] | None = None,
    known_at: datetime | None = None,
    upto: date | None = None,
) -> Traded:
    """What was traded of all that these actions concern: before the last of their ex-dates, or up
    to a day."""
    known = None if known_at is None else "%(known_at)s::timestamptz"
    with connection.cursor() as cursor:
        cursor.execute(
            _TRADED.format(entries=effective_entries("%(upto)s::date", known)),
            _traded_params(actions, accounts, known_at, upto),
        )
        return traded_by(cursor.fetchall())


def _traded_params(
    actions: Sequence[Action],
    accounts: Iterable[int] | None,
    known_at: datetime | None,
    upto: date | None = None,
) -> dict[str, Any]:
    return {
        "upto": upto or max(action.ex_date for action in actions) - timedelta(days=1),
        "known_at": known_at,
        "instruments": sorted(instruments_of(actions)),
        "accounts": None if accounts is None else list(accounts),
    }


def activity_on(
    instruments: Iterable[int], days: Iterable[date], accounts: Iterable[int]
) -> dict[tuple[int, int, date], tuple[Decimal, Decimal, Decimal]]:
    """By account id, instrument id and trade date, the quantity and notional traded on these days,
    and their fees, straight from the ledger."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account_id, instrument_id, trade_date, sum(quantity), sum(notional), sum(fees)"
            "  FROM trades_ledgerentry WHERE account_id = ANY(%s::bigint[])"
            "   AND instrument_id = ANY(%s::bigint[]) AND trade_date = ANY(%s::date[])"
            " GROUP BY account_id, instrument_id, trade_date",
            [list(accounts), list(instruments), list(days)],
        )
        return {(a, i, day): (q, n, fees) for a, i, day, q, n, fees in cursor.fetchall()}


def traded_by(rows: Iterable[Any]) -> Traded:
    """Rows of account id, instrument id, trade date and quantity, by account and instrument."""
    found: Traded = {}
    for account, instrument, day, quantity in rows:
        found.setdefault(account, {}).setdefault(instrument, {})[day] = quantity
    return found


def acted_positions(
    keys: Iterable[tuple[int, int]], actions: Sequence[Action]
) -> dict[tuple[int, int], ActedPosition]:
    """Those of these keys, account and instrument id, that the actions concern, as the ledger holds
    them, with their legs. Keys of one account that hang together share what they hold. One query,
    none where no key is concerned."""
    acted = instruments_of(actions)
    wanted = [key for key in keys if key[1] in acted]
    if not wanted:
        return {}
    together = related({i for _, i in wanted}, actions)
    mine = [action for action in actions if action.instrument in together]
    traded = traded_of(mine, accounts={account for account, _ in wanted}, upto=date.max)
    books = {account: ActedBook(traded.get(account, {}), mine) for account, _ in wanted}
    return {key: ActedPosition(books[key[0]], key[1]) for key in wanted}


# Legs that a statement is given, instead of those that are kept: the columns of pnl_actionleg.
GIVEN_LEGS = """
    SELECT * FROM unnest(%(leg_accounts)s::bigint[], %(leg_instruments)s::bigint[],
                         %(leg_days)s::date[], %(leg_quantities)s::numeric[],
                         %(leg_cash)s::numeric[], %(leg_unpaid)s::numeric[])
        AS l (account_id, instrument_id, ex_date, quantity, cash, unpaid)
"""


def leg_params(legs: Sequence[AccountEffect]) -> Mapping[str, Any]:
    """The parameters of `GIVEN_LEGS`."""
    return {
        "leg_accounts": [leg.account for leg in legs],
        "leg_instruments": [leg.effect.instrument for leg in legs],
        "leg_days": [leg.effect.action.ex_date for leg in legs],
        "leg_quantities": [leg.effect.quantity for leg in legs],
        "leg_cash": [leg.effect.cash for leg in legs],
        "leg_unpaid": [leg.effect.unpaid for leg in legs],
    }


GIVEN_STRATEGY_LEGS = """
    SELECT * FROM unnest(%(leg_accounts)s::bigint[], %(leg_instruments)s::bigint[],
                         %(leg_days)s::date[], %(leg_quantities)s::numeric[],
                         %(leg_cash)s::numeric[], %(leg_unpaid)s::numeric[],
                         %(leg_strategies)s::bigint[])
        AS l (account_id, instrument_id, ex_date, quantity, cash, unpaid, strategy_id)
"""


def strategy_leg_params(legs: Sequence[StrategyEffect]) -> Mapping[str, Any]:
    """The parameters of `GIVEN_STRATEGY_LEGS`."""
    return {**leg_params(legs), "leg_strategies": [leg.strategy for leg in legs]}


def effective_positions(
    session: date, session_sql: str, known_sql: str, known_at: datetime
) -> tuple[str, Mapping[str, Any]]:
    """A query of account_id, instrument_id and quantity of all that makes the positions of a
    session as known at a moment, legs included, and its further parameters; the entries alone where
    no action counts. `session_sql` and `known_sql` are the session and the moment in the caller's
    statement."""
    entries = effective_entries(session_sql, known_sql)
    actions = effective_actions(session, known_at)
    if not actions:
        return entries, {}
    both = (
        f"SELECT account_id, instrument_id, quantity FROM ({entries}) e UNION ALL"
        f" SELECT account_id, instrument_id, quantity FROM ({GIVEN_LEGS}) l"
    )
    return both, leg_params(ledger_legs(actions, known_at=known_at))


def late_legs(
    session: date, ends: datetime, accounts: Iterable[int]
) -> dict[tuple[int, int], tuple[Decimal, Decimal]]:
    """What became known of legs up to a session since a moment: by account and instrument id, the
    change of quantity and of cash."""
    of = list(accounts)
    found: dict[tuple[int, int], tuple[Decimal, Decimal]] = {}
    for known_at, sign in ((ends, -1), (None, 1)):
        actions = effective_actions(session, known_at)
        for leg in ledger_legs(actions, accounts=of, known_at=known_at):
            key = leg.account, leg.effect.instrument
            quantity, cash = found.get(key, (Decimal(0), Decimal(0)))
            found[key] = quantity + sign * leg.effect.quantity, cash + sign * leg.effect.cash
    return {key: change for key, change in found.items() if any(change)}
