"""A small world of accounts, trades and prices, read as `blotter.live.board_rows` reads the real
one, and a client that does with messages what a page does."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

from blotter.live.audience import Audiences
from blotter.live.boards import Boards
from blotter.live.composing import Composer, View
from blotter.live.day_trades import EVERYTHING, NOTHING, held_of
from blotter.live.found import AccountFound, Moment, PricesFound
from blotter.live.kinds import KINDS
from blotter.live.unread import Unread
from blotter.rows import price_age

START = datetime(2026, 3, 18, 15, tzinfo=UTC)
TODAY = date(2026, 3, 18)
CODES = {1: "A", 2: "B", 3: "C"}
TICKERS = {11: "IBM", 12: "XOM", 13: "KO"}

Rows = dict[str, Any]


@dataclass
class World:
    """What a database would hold: quantities by account and instrument, trades with the account
    that they are in and their version, prices by instrument."""

    positions: dict[tuple[int, int], int] = field(default_factory=dict)
    trades: dict[str, tuple[int, int]] = field(default_factory=dict)
    prices: dict[int, int] = field(default_factory=dict)
    day: date = TODAY
    seconds: int = 0

    @property
    def moment(self) -> Moment:
        return Moment(START + timedelta(seconds=self.seconds), self.day, "simulated")

    def position(self, account: int, instrument: int) -> Rows:
        return {
            "account": CODES[account],
            "ticker": TICKERS[instrument],
            "quantity": self.positions[account, instrument],
            "price": self.prices.get(instrument),
            "session": self.day.isoformat(),
        }

    def trade(self, key: str) -> Rows:
        account, version = self.trades[key]
        return {"id": key, "account": CODES[account], "version": version}

    def total(self, account: int) -> Rows:
        held = [(i, q) for (a, i), q in self.positions.items() if a == account]
        worth = sum(q * self.prices.get(i, 0) for i, q in held)
        return {"account": CODES[account], "total_pnl": worth}

    def price(self, instrument: int) -> Rows:
        return {"ticker": TICKERS[instrument], "price": self.prices[instrument]}

    def trades_of(self, account: int) -> list[str]:
        """Newest first."""
        return sorted((key for key, (a, _) in self.trades.items() if a == account), reverse=True)

    # --- reading --------------------------------------------------------------------------------

    def read(self, account: int, unread: Unread, depth: int) -> AccountFound:
        found = AccountFound(account, unread.whole)
        if unread.positions:
            found.asked["positions"] = None
            instruments = set(TICKERS)
        else:
            instruments = unread.instruments
            found.asked["positions"] = {TICKERS[i] for i in instruments}
        for a, i in self.positions:
            if a == account and i in instruments:
                found.put("positions", TICKERS[i], orjson.dumps(self.position(a, i)))
        if unread.trades:
            keys = self.trades_of(account)
            found.asked_trades, found.reach, found.trades_total = None, depth, len(keys)
            newest = keys[: held_of(depth)]
            found.bottom = EVERYTHING if len(newest) == len(keys) else min(newest, default=NOTHING)
        else:
            found.asked_trades = unread.trade_ids
            newest = [k for k in unread.trade_ids if self.trades.get(k, (0, 0))[0] == account]
        for key in newest:
            found.trades[key] = self.trades[key][1], orjson.dumps(self.trade(key))
        if unread.total:
            found.asked["totals"] = set()
            found.put("totals", "", orjson.dumps(self.total(account)))
        return found

    def read_prices(self, unread: Unread) -> PricesFound:
        which = set(TICKERS) if unread.positions else unread.instruments
        found = PricesFound({}, None if unread.positions else {TICKERS[i] for i in which})
        for i in self.prices.keys() & which:
            found.rows[TICKERS[i]] = orjson.dumps(self.price(i)), START
        return found

    # --- what a client of a view has to show ----------------------------------------------------

    def shown(self, view: View) -> Rows:
        watched = set(view.accounts)
        keys = sorted((k for k, (a, _) in self.trades.items() if a in watched), reverse=True)
        return {
            "positions": {
                (CODES[a], TICKERS[i]): self.position(a, i)
                for a, i in self.positions
                if a in watched
            },
            "trades": {key: self.trade(key) for key in keys[: view.trades]},
            "totals": {CODES[a]: self.total(a) for a in watched},
            "prices": {
                TICKERS[i]: self.price(i)
                for i in self.prices
                if view.prices is None or TICKERS[i] in view.prices
            },
            "trades_total": {CODES[a]: len(self.trades_of(a)) for a in watched},
        }


class Client:
    """A connection's place in the boards, and the rows that the page at its other end has."""

    def __init__(self, boards: Boards, composer: Composer) -> None:
        self.boards, self.composer = boards, composer
        self.view = View()
        self.told: int | None = None
        self.floor = ""
        self.rows: Rows = {}
        self.snapshots = 0

    def watch(self, view: View) -> None:
        self.boards.prices.watch(view.watches_prices - self.view.watches_prices)
        self.view, self.told = view, None

    def take(self, now: datetime) -> Rows | None:
        """What a connection does when it is woken; the message, if there is one."""
        view, composer = self.view, self.composer
        if self.told is None or composer.behind(view, self.told, self.floor):
            if not composer.ready(view):
                return None
            text = composer.snapshot(view, now)
            self.snapshots += 1
            message = json.loads(b"{" + text.body)
            self.rows = {
                "positions": {_position(row): row for row in message["positions"]},
                "trades": {row["id"]: row for row in message["trades"]},
                "totals": {row["account"]: row for row in message["totals"]},
                "prices": {row["ticker"]: row for row in message["prices"]},
                "trades_total": message["trades_total"],
            }
            # A snapshot has each row once.
            assert len(self.rows["trades"]) == len(message["trades"])
        else:
            found = composer.update(view, self.told, self.floor, now)
            if found is None:
                return None
            text = found
            message = json.loads(b"{" + text.body)
            self._update(message)
        self.told, self.floor = text.version, text.floor
        return dict(message)

    def _update(self, message: Rows) -> None:
        gone = message["removed"]
        rows = [row["id"] for row in message["trades"]]
        # In whatever order they are applied, it comes to the same.
        assert not set(gone["trades"]) & set(rows)
        assert len(set(rows)) == len(rows)
        assert not {_position(r) for r in gone["positions"]} & {
            _position(r) for r in message["positions"]
        }
        for row in gone["positions"]:
            self.rows["positions"].pop(_position(row), None)
        for key in gone["trades"]:
            self.rows["trades"].pop(key, None)
        self.rows["positions"] |= {_position(row): row for row in message["positions"]}
        self.rows["trades"] |= {row["id"]: row for row in message["trades"]}
        self.rows["totals"] |= {row["account"]: row for row in message["totals"]}
        self.rows["prices"] |= {row["ticker"]: row for row in message["prices"]}
        self.rows["trades_total"] |= message["trades_total"]

    def shows(self) -> Rows:
        """Without what changes by time alone."""
        without = ("age_seconds", "calculated_at")
        return {
            kind: (
                rows
                if kind == "trades_total"
                else {
                    key: {name: value for name, value in row.items() if name not in without}
                    for key, row in rows.items()
                }
            )
            for kind, rows in self.rows.items()
        }


def _position(row: Rows) -> tuple[str, str]:
    return row["account"], row["ticker"]


def new_boards() -> tuple[Boards, Composer]:
    """With all names known, as after the first pulse."""
    boards = Boards(KINDS)
    boards.named(TICKERS)
    boards.roll(TODAY, START)
    return boards, Composer(boards, price_age)


def deepen(boards: Boards, views: Iterable[View]) -> None:
    """What the hub does when somebody subscribes."""
    audiences: Audiences[View] = Audiences()
    for view in views:
        audiences.add(view, view)
    for account, board in boards.by_account.items():
        boards.deepen(board, audiences.window(account) or 0, audiences.share(account))
    for view in views:
        boards.fill(view.accounts, view.trades)


def take_over(boards: Boards, views: Iterable[View], *found: Any) -> None:
    """What the hub does with a reading."""
    shorter = boards.take_over(*found).shorter
    for view in views:
        if not shorter.isdisjoint(view.accounts):
            boards.fill(view.accounts, view.trades)


def read_all(world: World, boards: Boards, views: Collection[View]) -> None:
    """Read until nothing is unread."""
    while True:
        unread = [board for board in boards.by_account.values() if board.unread]
        for board in unread:
            taken, board.unread = board.unread, Unread()
            found = world.read(board.account, taken, board.needed)
            take_over(boards, views, world.moment, [found])
        if boards.prices.watchers and boards.prices.unread:
            taken, boards.prices.unread = boards.prices.unread, Unread()
            boards.take_over(world.moment, [], world.read_prices(taken))
        elif not unread:
            return
