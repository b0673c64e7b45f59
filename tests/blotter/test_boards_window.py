"""The window of the newest trades, while boards hold little more of them than it needs."""

import pytest

from blotter.live import boards as boards_module
from blotter.live.composing import View
from tests.blotter.boards_desk import IBM, A, B, C, Desk, booked, read


@pytest.fixture
def _shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards_module, "LEAST_DEPTH", 1)


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
