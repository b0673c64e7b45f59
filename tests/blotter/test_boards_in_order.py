"""What boards promise when they are read at different moments, one case at a time."""

from typing import Any

import pytest

from blotter.live import board as board_module
from blotter.live import boards as boards_module
from blotter.live import day_trades
from blotter.live.board import Board
from blotter.live.boards import Boards
from blotter.live.composing import Composer, View
from blotter.live.unread import Unread
from tests.blotter.live_world import (
    CODES,
    START,
    Client,
    World,
    deepen,
    new_boards,
    read_all,
    take_over,
)

A, B, C = 1, 2, 3
IBM, XOM = 11, 12


class Desk:
    """A world, its boards, and clients."""

    def __init__(self, *views: View) -> None:
        self.world = World()
        self.boards: Boards
        self.composer: Composer
        self.boards, self.composer = new_boards()
        self.views = views
        self.clients: list[Client] = []

    def open(self) -> None:
        """Boards of all views, read; every client has its snapshot."""
        for view in self.views:
            for account in view.accounts:
                self.boards.add(account, CODES[account])
            client = Client(self.boards, self.composer)
            client.watch(view)
            self.clients.append(client)
        self.deepen()
        self.settle()
        self.told()

    def board(self, account: int) -> Board:
        return self.boards.by_account[account]

    def deepen(self) -> None:
        deepen(self.boards, [client.view for client in self.clients])

    def settle(self) -> None:
        read_all(self.world, self.boards, [client.view for client in self.clients])

    def told(self) -> list[dict[str, Any] | None]:
        return [client.take(START) for client in self.clients]

    def moves(self, key: str, left: int, entered: int) -> None:
        """Amended into another account; both are told."""
        self.world.trades[key] = entered, self.world.trades[key][1] + 1
        for account in (left, entered):
            self.board(account).unread.keys(set(), {key})

    def check(self) -> None:
        self.settle()
        self.told()
        for client in self.clients:
            assert client.shows() == self.world.shown(client.view)


def read(desk: Desk, account: int) -> None:
    board = desk.board(account)
    taken, board.unread = board.unread, Unread()
    found = desk.world.read(account, taken, board.needed)
    views = [client.view for client in desk.clients]
    take_over(desk.boards, views, desk.world.moment, [found])


@pytest.mark.parametrize("first", [A, B])
def test_a_trade_that_moves_is_not_removed_by_the_account_that_it_left(first: int) -> None:
    desk = Desk(View((A, B), 10, frozenset()))
    desk.world.trades["x"] = A, 1
    desk.open()
    desk.moves("x", A, B)
    for account in (first, A + B - first):
        read(desk, account)
        desk.told()
    assert desk.clients[0].rows["trades"]["x"]["account"] == "B"
    desk.check()


def test_a_row_read_before_a_move_does_not_bring_the_trade_back() -> None:
    """A was looked at before the move, and taken over after B, which was looked at after it."""
    desk = Desk(View((A, B), 10, frozenset()))
    desk.world.trades["x"] = A, 1
    desk.open()
    looked = desk.world.read(A, Unread().all(), 100)
    desk.moves("x", A, B)
    read(desk, B)
    desk.told()
    desk.boards.take_over(desk.world.moment, [looked])
    desk.told()
    assert desk.clients[0].rows["trades"]["x"]["account"] == "B"
    assert desk.clients[0].rows["trades_total"] == {"A": 0, "B": 1}
    desk.check()


def test_a_move_there_and_back() -> None:
    desk = Desk(View((A, B), 10, frozenset()), View((B,), 10, frozenset()))
    desk.world.trades["x"] = A, 1
    desk.open()
    desk.moves("x", A, B)
    read(desk, B)
    desk.moves("x", B, A)
    read(desk, A)
    desk.told()
    assert desk.clients[0].rows["trades"]["x"]["version"] == 3
    desk.check()


def test_a_tick_of_a_name_that_is_about_to_be_held_is_not_passed_over() -> None:
    desk = Desk(View((A,), 10, None))
    desk.open()
    desk.world.positions[A, IBM] = 5
    board = desk.board(A)
    board.unread.keys({IBM}, set())
    taken, board.unread, board.is_being_read = board.unread, Unread(), True
    looked = desk.world.read(A, taken, 100)
    desk.world.prices[IBM] = 7
    desk.boards.priced({IBM})
    desk.boards.take_over(desk.world.moment, [looked])
    board.is_being_read = False
    desk.check()


def test_a_tick_concerns_who_holds_the_name() -> None:
    desk = Desk(View((A,), 10, None), View((B,), 10, None))
    desk.world.positions = {(A, IBM): 5, (B, XOM): 5}
    desk.open()
    desk.world.prices[IBM] = 7
    desk.boards.priced({IBM})
    assert (bool(desk.board(A).unread), bool(desk.board(B).unread)) == (True, False)
    desk.check()


def test_nothing_is_sent_for_an_account_that_nobody_of_them_watches() -> None:
    desk = Desk(View((A,), 10, frozenset()), View((B,), 10, frozenset()))
    desk.open()
    desk.world.trades["x"] = A, 1
    desk.board(A).unread.keys({IBM}, {"x"})
    desk.settle()
    message, nothing = desk.told()
    assert message is not None
    assert nothing is None


def test_who_is_slow_is_told_the_latest_once() -> None:
    desk = Desk(View((A,), 10, frozenset()))
    desk.open()
    for quantity in range(1, 1_000):
        desk.world.positions[A, IBM] = quantity
        desk.board(A).unread.keys({IBM}, set())
        desk.settle()
    (message,) = desk.told()
    assert message is not None
    assert [row["quantity"] for row in message["positions"]] == [999]


def test_what_went_and_came_back_was_not_removed() -> None:
    desk = Desk(View((A,), 10, frozenset()))
    desk.world.positions[A, IBM] = 5
    desk.open()
    for quantity in (0, 6):
        desk.world.positions.pop((A, IBM), None)
        if quantity:
            desk.world.positions[A, IBM] = quantity
        desk.board(A).unread.keys({IBM}, set())
        desk.settle()
    (message,) = desk.told()
    assert message is not None
    assert message["removed"]["positions"] == []
    desk.check()


def test_what_could_not_be_read_is_read_later() -> None:
    desk = Desk(View((A,), 10, frozenset()))
    desk.world.trades["x"] = A, 1
    desk.open()
    board = desk.board(A)
    desk.world.positions[A, IBM] = 5
    desk.world.trades["x"] = A, 2
    board.unread.keys({IBM}, {"x"})
    taken, board.unread = board.unread, Unread()
    board.unread.keys({XOM}, set())  # while the reading fails
    board.unread.put_back(taken)
    desk.check()


def test_reading_the_same_again_is_no_news() -> None:
    desk = Desk(View((A,), 10, None))
    desk.world.positions, desk.world.prices = {(A, IBM): 5}, {IBM: 7}
    desk.open()
    desk.world.seconds += 60
    desk.boards.everything()
    desk.settle()
    assert desk.told() == [None]


def test_who_watches_the_same_shares_one_text() -> None:
    view = View((A, B), 10, None)
    desk = Desk(view, view)
    desk.open()
    desk.world.positions[A, IBM] = 5
    desk.board(A).unread.keys({IBM}, set())
    desk.settle()
    client = desk.clients[0]
    assert client.told is not None
    first = desk.composer.update(view, client.told, client.floor, START)
    assert first is not None
    assert desk.composer.update(view, client.told, client.floor, START) is first


# --- the window ---------------------------------------------------------------------------------


@pytest.fixture
def _shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards_module, "LEAST_DEPTH", 1)


def booked(desk: Desk, *keys: str, account: int = A) -> None:
    for key in keys:
        desk.world.trades[key] = account, 1
        desk.board(account).unread.keys({IBM}, {key})


@pytest.mark.usefixtures("_shallow")
def test_the_window_is_of_the_newest_over_all_accounts() -> None:
    desk = Desk(View((A, B), 3, frozenset()))
    desk.world.trades = {f"t{n}": (A if n % 2 else B, 1) for n in range(8)}
    desk.open()
    client = desk.clients[0]
    assert set(client.rows["trades"]) == {"t5", "t6", "t7"}
    assert client.rows["trades_total"] == {"A": 4, "B": 4}
    booked(desk, "t8")
    desk.settle()
    (message,) = desk.told()
    assert message is not None
    assert message["removed"]["trades"] == ["t5"]
    assert message["trades_total"] == {"A": 5}
    desk.check()


@pytest.mark.usefixtures("_shallow")
def test_of_several_accounts_each_is_read_for_its_share() -> None:
    desk = Desk(View((A, B), 20, frozenset()), View((A, B, C), 12, frozenset()))
    desk.world.trades = {f"t{n:03}": (1 + n % 3, 1) for n in range(300)}
    desk.open()
    assert [len(desk.board(account).trades) for account in (A, B, C)] == [22, 22, 8]
    desk.check()


@pytest.mark.usefixtures("_shallow")
def test_an_account_with_more_than_its_share_is_read_for_the_whole_window() -> None:
    desk = Desk(View((A, B, C), 12, frozenset()))
    desk.world.trades = {f"t{n:03}": (A if n > 250 else 1 + n % 3, 1) for n in range(300)}
    desk.open()
    assert set(desk.clients[0].rows["trades"]) == {f"t{n:03}" for n in range(288, 300)}
    assert desk.clients[0].snapshots == 1


@pytest.mark.usefixtures("_shallow")
def test_when_its_newest_leave_an_account_is_read_for_more_than_its_share() -> None:
    desk = Desk(View((A, B, C), 12, frozenset()))
    desk.world.trades = {f"t{n:03}": (1 + n % 3, 1) for n in range(300)}
    desk.open()
    for n in range(299, 250, -1):
        key = f"t{n:03}"
        account, _ = desk.world.trades[key]
        if account != C:
            del desk.world.trades[key]
            desk.board(account).unread.keys({IBM}, {key})
            desk.check()
    assert desk.clients[0].snapshots == 1


@pytest.mark.usefixtures("_shallow")
def test_what_leaves_makes_room_for_older_ones() -> None:
    """Those that the board holds are sent at once; when it holds too few, it is read again."""
    desk = Desk(View((A,), 3, frozenset()))
    desk.world.trades = {f"t{n:02}": (A, 1) for n in range(40)}
    desk.open()
    for n in range(39, 29, -1):
        del desk.world.trades[f"t{n:02}"]
        desk.board(A).unread.keys({IBM}, {f"t{n:02}"})
        desk.check()
    assert desk.clients[0].snapshots == 1


@pytest.mark.usefixtures("_shallow")
def test_what_moves_away_makes_room_for_older_ones() -> None:
    desk = Desk(View((A, B), 3, frozenset()))
    desk.world.trades = {f"t{n:02}": (A, 1) for n in range(40)}
    desk.open()
    for n in range(39, 29, -1):
        desk.world.trades[f"t{n:02}"] = B, 2
        # Only B was told: it is the first to know.
        desk.board(B).unread.keys({IBM}, {f"t{n:02}"})
        read(desk, B)
    desk.check()


@pytest.mark.usefixtures("_shallow")
def test_the_number_of_trades_goes_down_with_each_that_leaves() -> None:
    desk = Desk(View((A,), 3, frozenset()))
    desk.world.trades = {f"t{n:02}": (A, 1) for n in range(40)}
    desk.open()
    del desk.world.trades["t39"]
    desk.board(A).unread.keys({IBM}, {"t39"})
    read(desk, A)
    desk.told()
    assert desk.clients[0].rows["trades_total"] == {"A": 39}


@pytest.mark.usefixtures("_shallow")
def test_an_old_trade_far_below_the_window_is_counted() -> None:
    desk = Desk(View((A,), 2, frozenset()))
    desk.world.trades = {f"t{n:02}": (A, 1) for n in range(10, 40)}
    desk.open()
    booked(desk, "t05")  # as an old one that is amended today
    desk.check()
    assert desk.clients[0].rows["trades_total"] == {"A": 31}
    assert "t05" not in desk.clients[0].rows["trades"]


@pytest.mark.usefixtures("_shallow")
def test_many_at_once_move_the_window_by_a_snapshot() -> None:
    desk = Desk(View((A,), 2, frozenset()))
    desk.open()
    booked(desk, *(f"t{n:03}" for n in range(100)))
    desk.check()
    assert len(desk.board(A).trades) < 10


@pytest.mark.usefixtures("_shallow")
def test_a_longer_window_waits_until_the_board_is_read_for_it() -> None:
    desk = Desk(View((A,), 1, frozenset()))
    desk.world.trades = {f"t{n:02}": (A, 1) for n in range(40)}
    desk.open()
    view = View((A,), 30, frozenset())
    desk.clients[0].watch(view)
    desk.deepen()
    assert desk.told() == [None]
    desk.check()
    assert len(desk.clients[0].rows["trades"]) == 30


# --- what is forgotten --------------------------------------------------------------------------


def test_who_is_behind_what_is_remembered_gets_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_module, "REMEMBERED_ROWS", 0)
    desk = Desk(View((A,), 10, frozenset()))
    desk.world.positions = {(A, IBM): 5, (A, XOM): 5}
    desk.open()
    del desk.world.positions[A, IBM]
    desk.board(A).unread.keys({IBM}, set())
    desk.check()
    assert desk.clients[0].snapshots == 2


def test_memory_of_what_is_gone_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_trades, "REMEMBERED", 5)
    desk = Desk(View((A,), 10, frozenset()))
    desk.open()
    for n in range(50):
        booked(desk, f"t{n:02}")
        desk.settle()
        del desk.world.trades[f"t{n:02}"]
        desk.board(A).unread.keys({IBM}, {f"t{n:02}"})
        desk.settle()
    assert len(list(desk.board(A).trades.gone_since(-1))) == 5
    desk.check()


def test_a_price_that_is_no_more_is_no_more_for_who_was_told_of_it() -> None:
    desk = Desk(View((), 0, None), View((), 0, frozenset({"XOM"})))
    desk.world.prices = {IBM: 7, XOM: 8}
    desk.open()
    del desk.world.prices[IBM]
    desk.boards.priced({IBM})
    desk.check()


@pytest.mark.parametrize("day", [17, 19], ids=["an earlier one after all", "the next"])
def test_another_day_is_another_snapshot(day: int) -> None:
    desk = Desk(View((A,), 10, None), View((), 0, frozenset()))
    desk.world.positions = {(A, IBM): 5}
    desk.open()
    late = desk.world.moment, [desk.world.read(A, Unread().all(), 100)]
    desk.world.day = desk.world.day.replace(day=day)
    desk.world.seconds += 1
    desk.world.trades.clear()
    # A reading finds out; it is of the new day, and the others are not yet.
    desk.board(A).unread.all()
    desk.settle()
    # One that began before is of no use any more.
    desk.boards.take_over(*late)
    desk.settle()
    messages = desk.told()
    assert all(m is not None and m["business_date"] == f"2026-03-{day}" for m in messages)
    desk.check()


def test_time_alone_changes_the_age_of_a_price_and_when_a_total_was_known() -> None:
    desk = Desk(View((A,), 10, None))
    desk.world.positions, desk.world.prices = {(A, IBM): 5}, {IBM: 7}
    desk.open()
    later = START.replace(minute=1)
    desk.boards.holds_at = later
    desk.composer.forget()
    client = desk.clients[0]
    client.told = None
    message = client.take(later)
    assert message is not None
    assert message["prices"][0]["age_seconds"] == 60
    assert message["totals"][0]["calculated_at"] == "2026-03-18T15:01:00Z"
    # Not while something is known to have changed.
    desk.board(A).unread.keys({IBM}, set())
    desk.composer.forget()
    client.told = None
    message = client.take(later)
    assert message is not None
    assert message["totals"][0]["calculated_at"] == "2026-03-18T15:00:00Z"
