"""What one client has on its screen, and what it must still be told. Pure: rows in, messages out.

A board remembers the rows that the client knows (those it was sent, those on their way). Reading
again costs nothing on the wire: only rows that differ go out. A slow client gets the latest rows,
not a growing queue: what is pending is kept by key, and a later row replaces an earlier one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
PositionKey = tuple[str, str]

# They change with every reading and are no news by themselves.
_NO_NEWS = ("age_seconds", "calculated_at")


@dataclass
class Reading:
    """Rows as read at one moment, and what was asked for: a key that was asked for and has no row
    is gone. `whole` accounts were asked for all their positions and trades."""

    positions: list[Row] = field(default_factory=list)
    trades: list[Row] = field(default_factory=list)
    totals: list[Row] = field(default_factory=list)
    prices: list[Row] = field(default_factory=list)
    whole: set[str] = field(default_factory=set)
    whole_trades: set[str] = field(default_factory=set)
    asked_positions: set[PositionKey] = field(default_factory=set)
    asked_trades: set[str] = field(default_factory=set)


def position_key(row: Row) -> PositionKey:
    return row["account"], row["ticker"]


class Board:
    """The rows of one connection's accounts."""

    def __init__(self) -> None:
        self.accounts: set[str] = set()
        self._positions: dict[PositionKey, Row] = {}
        self._trades: dict[str, Row] = {}
        self._totals: dict[str, Row] = {}
        self._prices: dict[str, Row] = {}
        self._clear_pending()

    def _clear_pending(self) -> None:
        self._new_positions: dict[PositionKey, Row | None] = {}
        self._new_trades: dict[str, Row | None] = {}
        self._new_totals: dict[str, Row] = {}
        self._new_prices: dict[str, Row] = {}

    def replace(self, accounts: Iterable[str], reading: Reading) -> dict[str, list[Row]]:
        """Start anew with these accounts; the snapshot's row lists."""
        self.accounts = set(accounts)
        self._positions = {position_key(r): r for r in reading.positions}
        self._trades = {r["id"]: r for r in reading.trades}
        self._totals = {r["account"]: r for r in reading.totals}
        self._prices = {r["ticker"]: r for r in reading.prices}
        self._clear_pending()
        return {
            "positions": reading.positions,
            "trades": reading.trades,
            "totals": reading.totals,
            "prices": reading.prices,
        }

    def apply(self, reading: Reading) -> None:
        """Take over what differs from what the client knows."""
        self._apply_positions(reading)
        self._apply_trades(reading)
        for row in reading.totals:
            if row["account"] in self.accounts:
                _note(self._totals, self._new_totals, row["account"], row)
        for row in reading.prices:
            _note(self._prices, self._new_prices, row["ticker"], row)

    def _apply_positions(self, reading: Reading) -> None:
        found = set()
        for row in reading.positions:
            if row["account"] in self.accounts:
                found.add(position_key(row))
                _note(self._positions, self._new_positions, position_key(row), row)
        for key in [k for k in self._positions if k not in found]:
            if key in reading.asked_positions or key[0] in reading.whole:
                del self._positions[key]
                self._new_positions[key] = None

    def _apply_trades(self, reading: Reading) -> None:
        found = set()
        for row in reading.trades:
            if row["account"] in self.accounts:
                found.add(row["id"])
                _note(self._trades, self._new_trades, row["id"], row)
        for key in [k for k in self._trades if k not in found]:
            asked = key in reading.asked_trades
            if asked or self._trades[key]["account"] in reading.whole_trades:
                del self._trades[key]
                self._new_trades[key] = None

    def take(self) -> dict[str, Any] | None:
        """The pending changes as the body of an update; None when there are none."""
        positions, trades = self._new_positions, self._new_trades
        totals, prices = self._new_totals, self._new_prices
        if not (positions or trades or totals or prices):
            return None
        self._clear_pending()
        return {
            "positions": [r for r in positions.values() if r is not None],
            "trades": [r for r in trades.values() if r is not None],
            "totals": list(totals.values()),
            "prices": list(prices.values()),
            "removed": {
                "positions": [
                    {"account": account, "ticker": ticker}
                    for (account, ticker), row in positions.items()
                    if row is None
                ],
                "trades": [key for key, row in trades.items() if row is None],
            },
        }


def _note(known: dict[Any, Row], pending: dict[Any, Any], key: Any, row: Row) -> None:
    if _news(known.get(key), row):
        known[key] = row
        pending[key] = row


def _news(old: Row | None, new: Row) -> bool:
    if old is None:
        return True
    return any(old.get(name) != value for name, value in new.items() if name not in _NO_NEWS)
