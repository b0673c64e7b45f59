"""What one client has on its screen, and what it must still be told. Pure: rows in, messages out.

A board remembers the rows that the client knows (those it was sent, those on their way). Reading
again costs nothing on the wire: only rows that differ go out. A slow client gets the latest rows,
not a growing queue: what is pending is kept by key, and a later row replaces an earlier one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from operator import itemgetter
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


class _Rows:
    """One kind of row: what the client knows or is about to, and what it must still be told."""

    def __init__(self, rows: Iterable[Row], key: Callable[[Row], Any]) -> None:
        self.key = key
        self.known: dict[Any, Row] = {key(r): r for r in rows}
        self._pending: dict[Any, Row | None] = {}
        # Keys that only pending rows have told of: when they vanish, the client need not hear.
        self._unheard: set[Any] = set()

    def note(self, row: Row) -> None:
        """Take over a row if it differs."""
        key = self.key(row)
        if not _news(self.known.get(key), row):
            return
        if key not in self.known and key not in self._pending:
            self._unheard.add(key)
        self.known[key] = row
        self._pending[key] = row

    def gone(self, key: Any) -> None:
        """Take over that a known row is no more."""
        del self.known[key]
        if key in self._unheard:
            self._unheard.remove(key)
            del self._pending[key]
        else:
            self._pending[key] = None

    def take(self) -> tuple[list[Row], list[Any]]:
        """Rows to send and keys to remove; afterwards nothing is pending."""
        pending, self._pending, self._unheard = self._pending, {}, set()
        rows = [r for r in pending.values() if r is not None]
        return rows, [k for k, r in pending.items() if r is None]


class Board:
    """The rows of one connection's accounts."""

    def __init__(self) -> None:
        self.replace((), Reading())

    def replace(self, accounts: Iterable[str], reading: Reading) -> dict[str, list[Row]]:
        """Start anew with these accounts; the snapshot's row lists."""
        self.accounts = set(accounts)
        self._positions = _Rows(reading.positions, position_key)
        self._trades = _Rows(reading.trades, itemgetter("id"))
        self._totals = _Rows(reading.totals, itemgetter("account"))
        self._prices = _Rows(reading.prices, itemgetter("ticker"))
        return {
            "positions": reading.positions,
            "trades": reading.trades,
            "totals": reading.totals,
            "prices": reading.prices,
        }

    def apply(self, reading: Reading) -> None:
        """Take over what differs from what the client knows."""
        _take_over(
            self._positions,
            self._mine(reading.positions),
            reading.asked_positions,
            reading.whole,
        )
        _take_over(
            self._trades, self._mine(reading.trades), reading.asked_trades, reading.whole_trades
        )
        for row in self._mine(reading.totals):
            self._totals.note(row)
        for price in reading.prices:
            self._prices.note(price)

    def _mine(self, rows: list[Row]) -> list[Row]:
        return [row for row in rows if row["account"] in self.accounts]

    def take(self, *, even_empty: bool = False) -> dict[str, Any] | None:
        """The pending changes as the body of an update; None when there are none, unless an
        update that changes nothing is wanted too."""
        positions, gone_positions = self._positions.take()
        trades, gone_trades = self._trades.take()
        totals, _ = self._totals.take()
        prices, _ = self._prices.take()
        some = positions or gone_positions or trades or gone_trades or totals or prices
        if not some and not even_empty:
            return None
        return {
            "positions": positions,
            "trades": trades,
            "totals": totals,
            "prices": prices,
            "removed": {
                "positions": [{"account": a, "ticker": t} for a, t in gone_positions],
                "trades": gone_trades,
            },
        }


def _take_over(rows: _Rows, found: list[Row], asked: Iterable[Any], whole: set[str]) -> None:
    """Rows as they are now. What was asked for, by its key or with its whole account, and was not
    found is gone."""
    here = {rows.key(row) for row in found}
    for row in found:
        rows.note(row)
    gone = {key for key in asked if key in rows.known}
    if whole:
        gone |= {key for key, row in rows.known.items() if row["account"] in whole}
    for key in gone - here:
        rows.gone(key)


def _news(old: Row | None, new: Row) -> bool:
    if old is None:
        return True
    return any(old.get(name) != value for name, value in new.items() if name not in _NO_NEWS)
