"""Snapshot + updates = what there is, for any sequence of changes, readings and slowness.

The machine reads like the hub's readers: some boards at a time, each by one reader, and what they
found may be from before or after a change that came while they were reading.
"""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from blotter.live import board as board_module
from blotter.live import boards as boards_module
from blotter.live import day_trades
from blotter.live.board import Board
from blotter.live.composing import View
from blotter.live.found import AccountFound, Moment, PricesFound
from blotter.live.unread import Unread
from tests.blotter.live_world import (
    CODES,
    START,
    TICKERS,
    Client,
    World,
    deepen,
    new_boards,
    read_all,
    take_over,
)

accounts = st.sampled_from(sorted(CODES))
instruments = st.sampled_from(sorted(TICKERS))
views = st.builds(
    lambda watched, trades, prices: View(tuple(sorted(watched)), trades, prices),
    st.sets(accounts),
    st.integers(0, 4),
    st.one_of(st.none(), st.frozensets(st.sampled_from(sorted(TICKERS.values())))),
)
numbers = st.integers(0, 5)


@dataclass
class Reading:
    """One that has begun: what it took, and what it has found if it has looked already."""

    taken: dict[int, tuple[Board, Unread, int]]
    prices: Unread | None
    found: tuple[Moment, list[AccountFound], PricesFound | None] | None = None


class Machine(RuleBasedStateMachine):
    @initialize(first=views, second=views)
    def begin(self, first: View, second: View) -> None:
        self.world = World()
        self.boards, self.composer = new_boards()
        self.clients = [Client(self.boards, self.composer) for _ in range(2)]
        self.readings: list[Reading] = []
        self.booked = 0
        for client, view in zip(self.clients, (first, second), strict=True):
            self._watch(client, view)
        for number in range(6):
            self.book(1 + number % 3, 11 + number % 2, heard=True)
        self.go_on()

    # --- what happens in the world --------------------------------------------------------------

    @rule(account=accounts, instrument=instruments, quantity=numbers, heard=st.booleans())
    def hold(self, account: int, instrument: int, quantity: int, heard: bool) -> None:
        self.world.positions.pop((account, instrument), None)
        if quantity:
            self.world.positions[account, instrument] = quantity
        self._changed(account, {instrument}, set(), heard)

    @rule(account=accounts, instrument=instruments, heard=st.booleans())
    def book(self, account: int, instrument: int, heard: bool) -> None:
        self.booked += 1
        key = f"t{self.booked:03}"
        self.world.trades[key] = account, 1
        self._changed(account, {instrument}, {key}, heard)

    @precondition(lambda self: self.world.trades)
    @rule(data=st.data(), entered=accounts, heard=st.booleans())
    def amend(self, data: st.DataObject, entered: int, heard: bool) -> None:
        """Within its account, or into another one."""
        key = data.draw(st.sampled_from(sorted(self.world.trades)))
        left, version = self.world.trades[key]
        self.world.trades[key] = entered, version + 1
        for account in {left, entered}:
            self._changed(account, set(), {key}, heard)

    @precondition(lambda self: self.world.trades)
    @rule(data=st.data(), heard=st.booleans())
    def vanish(self, data: st.DataObject, heard: bool) -> None:
        key = data.draw(st.sampled_from(sorted(self.world.trades)))
        account, _ = self.world.trades.pop(key)
        self._changed(account, set(), {key}, heard)

    @rule(instrument=instruments, price=numbers, heard=st.booleans())
    def tick(self, instrument: int, price: int, heard: bool) -> None:
        self.world.prices.pop(instrument, None)
        if price:
            self.world.prices[instrument] = price
        if heard:
            self.boards.priced({instrument})
        else:
            self.missed = True

    @rule()
    def a_day_ends(self) -> None:
        self.world.day += timedelta(days=1)
        self.world.trades.clear()
        self.world.seconds += 1
        self.boards.roll(self.world.day, self.world.moment.now)

    missed = False

    def _changed(self, account: int, changed: set[int], trades: set[str], heard: bool) -> None:
        self.world.seconds += 1
        board = self.boards.by_account.get(account)
        if board is None:
            return
        if heard:
            board.unread.keys(changed, trades)
        else:
            self.missed = True

    # --- what the hub does ----------------------------------------------------------------------

    @rule(some=st.sets(accounts), prices=st.booleans(), looks=st.booleans())
    def read(self, some: set[int], prices: bool, looks: bool) -> None:
        """Begin to read some of what is unread. It looks now, or when it ends."""
        taken = {}
        for account in sorted(some):
            board = self.boards.by_account.get(account)
            if board is not None and board.unread and not board.is_being_read:
                taken[account] = board, board.unread, board.needed
                board.unread, board.is_being_read = Unread(), True
        asked, board_of_prices = None, self.boards.prices
        if prices and board_of_prices.watchers and not board_of_prices.is_being_read:
            asked, board_of_prices.unread = board_of_prices.unread, Unread()
            board_of_prices.is_being_read = True
        reading = Reading(taken, asked)
        if looks:
            reading.found = self._look(reading)
        self.readings.append(reading)

    def _look(self, reading: Reading) -> tuple[Moment, list[AccountFound], PricesFound | None]:
        found = [
            self.world.read(account, unread, depth)
            for account, (_, unread, depth) in reading.taken.items()
        ]
        prices = None if reading.prices is None else self.world.read_prices(reading.prices)
        return self.world.moment, found, prices

    @precondition(lambda self: self.readings)
    @rule(data=st.data(), fails=st.sampled_from([False] * 9 + [True]))
    def finish(self, data: st.DataObject, fails: bool) -> None:
        reading = self.readings.pop(data.draw(st.integers(0, len(self.readings) - 1)))
        self._finish(reading, fails)

    def _finish(self, reading: Reading, fails: bool) -> None:
        if fails:
            for board, unread, _ in reading.taken.values():
                board.unread.put_back(unread)
            if reading.prices is not None:
                self.boards.prices.unread.put_back(reading.prices)
        else:
            views = [client.view for client in self.clients]
            take_over(self.boards, views, *(reading.found or self._look(reading)))
        for board, _, _ in reading.taken.values():
            board.is_being_read = False
        if reading.prices is not None:
            self.boards.prices.is_being_read = False

    @rule(which=st.integers(0, 1), view=views)
    def subscribe(self, which: int, view: View) -> None:
        self._watch(self.clients[which], view)

    def _watch(self, client: Client, view: View) -> None:
        for account in view.accounts:
            self.boards.add(account, CODES[account])
        client.watch(view)
        deepen(self.boards, [client.view for client in self.clients])

    @rule()
    def forget_unwatched(self) -> None:
        watched = {account for client in self.clients for account in client.view.accounts}
        for account, board in list(self.boards.by_account.items()):
            if account not in watched and not board.is_being_read:
                self.boards.remove(account)

    @rule()
    def go_on(self) -> None:
        """What is usual: all that is unread and not being read is read, and everybody is told."""
        self.read({*CODES}, True, looks=True)
        self._finish(self.readings.pop(), fails=False)
        for client in self.clients:
            client.take(START)

    @rule(which=st.integers(0, 1))
    def send(self, which: int) -> None:
        self.clients[which].take(START)

    # --- what must hold -------------------------------------------------------------------------

    @invariant()
    def a_trade_stands_on_one_board(self) -> None:
        if not hasattr(self, "boards"):
            return
        held = [key for b in self.boards.by_account.values() for key in b.trades.entries]
        assert len(held) == len(set(held))
        for account, board in self.boards.by_account.items():
            assert board.trades.order == sorted(board.trades.entries)
            assert all(self.boards.holder(key) == account for key in board.trades.entries)

    def teardown(self) -> None:
        if not hasattr(self, "boards"):
            return
        while self.readings:
            self._finish(self.readings.pop(), fails=False)
        if self.missed:
            self.boards.everything()
        read_all(self.world, self.boards, [client.view for client in self.clients])
        for client in self.clients:
            client.take(START)
            assert client.shows() == self.world.shown(client.view)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that a short run meets."""
    monkeypatch.setattr(boards_module, "LEAST_DEPTH", 1)
    monkeypatch.setattr(board_module, "REMEMBERED_ROWS", 1)
    monkeypatch.setattr(day_trades, "REMEMBERED", 2)


TestBoards = Machine.TestCase
TestBoards.settings = settings(
    max_examples=150,
    stateful_step_count=40,
)
