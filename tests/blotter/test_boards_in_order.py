"""What boards promise when they are read at different moments, one case at a time."""

import pytest

from blotter.live import board as board_module
from blotter.live import day_trades
from blotter.live.composing import View
from blotter.live.unread import Unread
from tests.blotter.boards_desk import IBM, XOM, A, B, Desk, booked, read
from tests.blotter.live_world import START


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
