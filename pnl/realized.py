"""Realized P&L by day, account, strategy and ticker, with the trades that made it.

It is that of the average cost (pnl.cost), net of fees: what a trade changed it by stands on the
trade's own date and strategy, what a corporate action did on its ex-date, under no strategy. So the
sum of all days is the realized P&L of the position's row, however trades are told apart.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from kernel import prepared
from kernel.actions import Action, related
from kernel.money import MAX_DECIMALS
from pnl.cost.acted import Fill, Watch, acted_cost
from pnl.cost.average_cost import Costed
from prices.actions.read import action_id
from prices.references import references_of
from prices.sessions import sessions
from trades.ledger.legs import effective_actions, instruments_of
from trades.ledger.sql import IS_STANDING, added_by

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class RealizedTrade:
    """A trade that closed something: `closed` is how much of it, signed as the trade."""

    id: UUID
    side: str
    quantity: Decimal
    price: Decimal
    fees: Decimal
    closed: Decimal
    realized_pnl: Decimal


@dataclass(slots=True)
class RealizedRow:
    """One day, account, strategy (None: no strategy's) and ticker, in its currency."""

    session: date
    account: str
    strategy: str | None
    ticker: str
    currency: str
    realized_pnl: Decimal = ZERO
    trades: list[RealizedTrade] = field(default_factory=list)
    actions: list[UUID] = field(default_factory=list)


class _Trade(NamedTuple):
    """A standing trade, `quantity` signed."""

    account_id: int
    instrument_id: int
    trade_date: date
    id: UUID
    side: str
    quantity: Decimal
    price: Decimal
    fees: Decimal
    account: str
    strategy: str | None


# The keys that traded in these days.
_KEYS = f"""
    SELECT DISTINCT account_id, instrument_id FROM trades_trade
     WHERE account_id = ANY(%(accounts)s::bigint[]) AND {IS_STANDING}
       AND trade_date BETWEEN %(first)s AND %(last)s
       AND (%(instruments)s::bigint[] IS NULL OR instrument_id = ANY(%(instruments)s::bigint[]))
"""
# The order of costing: pnl.cost.fills.
_TRADES = f"""
    SELECT t.account_id, t.instrument_id, t.trade_date, t.id, t.side,
           {added_by("t.")["quantity"]}, t.price, {added_by("t.")["fees"]}, a.code, s.code
      FROM unnest(%(key_accounts)s::bigint[], %(key_instruments)s::bigint[])
           AS k (account_id, instrument_id)
      JOIN trades_trade t ON t.account_id = k.account_id AND t.instrument_id = k.instrument_id
       AND t.{IS_STANDING} AND t.trade_date <= %(last)s
      JOIN accounts_account a ON a.id = t.account_id
      LEFT JOIN accounts_strategy s ON s.id = t.strategy_id
     ORDER BY t.trade_date, t.executed_at, t.id
"""
_HELD = """
    SELECT account_id, instrument_id FROM pnl_holding
     WHERE account_id = ANY(%s::bigint[]) AND instrument_id = ANY(%s::bigint[])
"""
_NAMES = "SELECT id, ticker, currency FROM prices_instrument WHERE id = ANY(%s::bigint[])"
_CODES = "SELECT id, code FROM accounts_account WHERE id = ANY(%s::bigint[])"


def realized_rows(
    *,
    accounts: Iterable[int],
    first: date,
    last: date,
    now: datetime,
    instruments: Collection[int] | None = None,
) -> list[RealizedRow]:
    """What was realized from one day to another, inclusive, by day, account, strategy and ticker,
    as known now. Folds the whole history of the keys that traded in these days."""
    of = list(accounts)
    wanted = None if instruments is None else sorted(set(instruments))
    actions = effective_actions(last, None, wanted)
    keys = _keys(of, wanted, first, last, actions)
    if not keys:
        return []
    trades = [
        _Trade(*row)
        for row in prepared.rows_planned(
            _TRADES,
            {
                "key_accounts": [account for account, _ in keys],
                "key_instruments": [instrument for _, instrument in keys],
                "last": last,
            },
        )
    ]
    found = _Found(first, keys, wanted)
    prices = references_of(actions, known=sessions(), now=now)
    by_account: dict[int, dict[int, list[_Trade]]] = {account: {} for account, _ in keys}
    for trade in trades:
        by_account[trade.account_id].setdefault(trade.instrument_id, []).append(trade)
    for account, by_instrument in by_account.items():
        fills = {name: [_fill(trade) for trade in each] for name, each in by_instrument.items()}
        acted_cost(
            fills,
            [action for action in actions if not fills.keys().isdisjoint(action.instruments)],
            lambda action, name: prices.get((action.ex_date, name)),
            found.watch(account, by_instrument),
        )
    return found.rows()


def _keys(
    accounts: list[int],
    instruments: list[int] | None,
    first: date,
    last: date,
    actions: Sequence[Action],
) -> list[tuple[int, int]]:
    """The keys whose history is folded: those that traded, and all that hang together with them or
    on which an action of these days acts."""
    params = {"accounts": accounts, "instruments": instruments, "first": first, "last": last}
    keys = {(account, name) for account, name in prepared.rows_planned(_KEYS, params)}
    acted = instruments_of(actions)
    of_days = instruments_of(a for a in actions if first <= a.ex_date)
    concerned = related({name for _, name in keys if name in acted} | of_days, actions)
    if concerned:
        held = prepared.rows_planned(_HELD, [accounts, sorted(concerned)])
        keys |= {(account, name) for account, name in held}
    return sorted(keys)


def _fill(trade: _Trade) -> Fill:
    return (
        trade.trade_date, _whole(trade.quantity), _whole(trade.price), _whole(trade.fees),
    )  # fmt: skip


def _whole(number: Decimal) -> int:
    return int(number.scaleb(MAX_DECIMALS))


class _Found:
    """The rows, as the folds of accounts tell of them."""

    def __init__(
        self, first: date, keys: Sequence[tuple[int, int]], wanted: Collection[int] | None
    ) -> None:
        self._first, self._wanted = first, wanted
        self._codes: dict[int, str] = dict(
            prepared.rows_planned(_CODES, [sorted({a for a, _ in keys})])
        )
        self._rows: dict[tuple[date, int, str | None, int], RealizedRow] = {}

    def watch(self, account: int, trades: dict[int, list[_Trade]]) -> Watch:
        def told(instrument: int, step: int | Action, was: Costed, then: Costed) -> None:
            if self._wanted is not None and instrument not in self._wanted:
                return
            realized = Costed(0, 0, then.realized_pnl - was.realized_pnl).decimals()[2]
            if isinstance(step, Action):
                if realized and step.ex_date >= self._first:
                    row = self._row(step.ex_date, account, None, instrument)
                    row.realized_pnl += realized
                    row.actions.append(action_id(step))
                return
            trade = trades[instrument][step]
            held = was.decimals()[0]
            closes = held * trade.quantity < 0
            if trade.trade_date < self._first or not (closes or realized):
                return
            closed = max(-abs(held), min(abs(held), trade.quantity)) if closes else ZERO
            row = self._row(trade.trade_date, account, trade.strategy, instrument)
            row.realized_pnl += realized
            row.trades.append(
                RealizedTrade(
                    trade.id, trade.side, abs(trade.quantity), trade.price, trade.fees, closed,
                    realized,
                )
            )  # fmt: skip

        return told

    def _row(self, day: date, account: int, strategy: str | None, instrument: int) -> RealizedRow:
        key = day, account, strategy, instrument
        if key not in self._rows:
            # Ticker and currency follow, once all instruments are known.
            self._rows[key] = RealizedRow(day, self._codes[account], strategy, "", "")
        return self._rows[key]

    def rows(self) -> list[RealizedRow]:
        names = prepared.rows_planned(_NAMES, [sorted({name for *_, name in self._rows})])
        known = {pk: (ticker, currency) for pk, ticker, currency in names}
        for (*_, name), row in self._rows.items():
            row.ticker, row.currency = known[name]
        return sorted(
            self._rows.values(),
            key=lambda row: (row.session, row.account, row.strategy or "", row.ticker),
        )
