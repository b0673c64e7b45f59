"""The live blotter against the whole running stack: snapshot + updates = a fresh snapshot."""

import json
import random
import time
from collections.abc import Callable
from decimal import Decimal

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.stack.client import Client
from tests.stack.eventually import eventually
from tests.stack.live import Live, State, fresh_state, open_socket, subscription
from tests.stack.running import RunningStack

TICKERS = ("AMZN", "MSFT", "NVDA", "KO")
STEPS = 45


class Walk:
    """A random sequence of what users do. What was booked is counted apart from the system."""

    def __init__(self, stack: RunningStack, live: Live, desks: list[str], seed: int) -> None:
        self.stack, self.live, self.desks = stack, live, desks
        self.random = random.Random(seed)
        self.trader: Client = stack.client("trader")
        self.staff: Client = stack.client("middleoffice")
        self.overrides: list[int] = []
        self.expected: dict[tuple[str, str], Decimal] = {}
        self.trades: dict[str, set[str]] = {desk: set() for desk in desks}

    def book(self) -> None:
        desk, ticker = self.random.choice(self.desks), self.random.choice(TICKERS)
        side = self.random.choice(("buy", "sell"))
        quantity = Decimal(self.random.randint(1, 2000)) / 10
        row = self.trader.book(desk, ticker, side, quantity, self.random.randint(1, 500))
        signed = quantity if side == "buy" else -quantity
        self.expected[desk, ticker] = self.expected.get((desk, ticker), Decimal(0)) + signed
        self.trades[desk].add(row["id"])

    def set_override(self) -> None:
        price = f"{self.random.randint(100, 90000) / 100:.2f}"
        self.overrides.append(self.staff.override(self.random.choice(TICKERS), price))

    def end_override(self) -> None:
        if self.overrides:
            self.staff.end_override(self.overrides.pop())

    def subscribe(self) -> None:
        """Only for a moment: at the end everything is watched again."""
        self.live.subscribe(self.random.sample(self.desks, self.random.randint(1, 2)))
        self.book()
        self.live.subscribe(self.desks)

    def kill_ws(self) -> None:
        before = self.live.snapshots
        self.stack.kill("ws")
        self.book()
        self.live.wait(lambda live: live.snapshots > before)

    def go(self, steps: int) -> None:
        usual: list[Callable[[], None]] = [self.book] * 12
        usual += [self.set_override] * 2 + [self.end_override, self.subscribe]
        lost = self.random.randrange(steps // 3, 2 * steps // 3)
        for step in range(steps):
            self.kill_ws() if step == lost else self.random.choice(usual)()
        while self.overrides:
            self.end_override()


@pytest.mark.parametrize("seed", [20260130])
def test_snapshot_and_updates_are_a_fresh_snapshot(stack: RunningStack, seed: int) -> None:
    """Prices tick all the while, so all rows are compared until a moment without a tick between
    the two; what was booked must be exact."""
    desks = [stack.desk(), stack.desk()]
    token = stack.client("trader").token
    with stack.live("trader", desks) as live:
        walk = Walk(stack, live, desks, seed)
        walk.go(STEPS)

        def same_rows() -> None:
            fresh = fresh_state(stack.url, token, desks)
            # What is told passes through what was read, if no tick comes in between.
            eventually(lambda: _assert_same(live.state, fresh), seconds=2)

        def same_quantities() -> None:
            shown = {key: Decimal(row["quantity"]) for key, row in live.state["positions"].items()}
            assert shown == walk.expected
            assert {key for (key,) in live.state["trades"]} == set().union(*walk.trades.values())

        eventually(same_quantities)
        eventually(same_rows)
        assert not live.errors
        assert live.updates > 0
    for desk in desks:
        listed = walk.trader.rows("trades/", account=desk)
        assert {row["id"] for row in listed} == walk.trades[desk]
        by_ticker = {t: q for (d, t), q in walk.expected.items() if d == desk and q}
        assert walk.trader.quantities(desk) == by_ticker


def _assert_same(told: State, fresh: State) -> None:
    """Names the rows that differ; whole states would be too long to read."""
    differ = {
        kind: [key for key in told[kind] | rows if told[kind].get(key) != rows.get(key)][:5]
        for kind, rows in fresh.items()
        if told[kind] != rows
    }
    assert not differ, f"rows that differ: {differ}"


def test_ticks_arrive_by_themselves(stack: RunningStack) -> None:
    """Nobody books: the simulated prices alone move the rows."""
    desk = stack.desk()
    stack.client("trader").book(desk, "NVDA", "buy", 10, 100)
    with stack.live("trader", [desk]) as live:
        # What was traded may come before what is held.
        live.wait(lambda live: [r["quantity"] for r in live.rows("positions")] == ["10"])
        (first,) = live.rows("positions")

        def moved() -> None:
            (row,) = live.rows("positions")
            assert row["price"] != first["price"]
            assert row["quantity"] == first["quantity"]

        eventually(moved)


def test_a_new_subscription_replaces_the_old_one(stack: RunningStack) -> None:
    first, second = stack.desk(), stack.desk()
    trader = stack.client("trader")
    with stack.live("trader", [first]) as live:
        live.subscribe([second])
        hidden = trader.book(first, "KO", "buy", 1, 60)
        shown = trader.book(second, "KO", "buy", 1, 60)
        live.wait(lambda live: (shown["id"],) in live.state["trades"])
        assert (hidden["id"],) not in live.state["trades"]
        assert [row["account"] for row in live.rows("totals")] == [second]


def test_an_account_that_is_not_viewed(stack: RunningStack) -> None:
    """The error names what was refused; the subscription that was there stays."""
    desk = stack.desk()
    with stack.live("viewer", ["Test1"]) as live:
        before = live.snapshots
        live.send(subscription(["Test1", desk]))
        live.wait(lambda live: bool(live.errors))
        assert live.errors[0]["code"] == "not_entitled"
        assert desk in live.errors[0]["detail"]
        assert live.snapshots == before
        assert live.subscribed == ["Test1"]


@pytest.mark.parametrize("token", [None, "nobody's"])
def test_a_websocket_without_a_login_is_closed_with_4401(
    stack: RunningStack, token: str | None
) -> None:
    with open_socket(stack.url, token) as connection:
        assert json.loads(connection.recv(timeout=30))["code"] == "not_authenticated"
        with pytest.raises(ConnectionClosed) as closed:
            connection.recv(timeout=30)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null"])
def test_a_page_from_elsewhere(stack: RunningStack, origin: str) -> None:
    token = stack.client("trader").token
    with pytest.raises(InvalidStatus) as refused, open_socket(stack.url, token, origin=origin):
        pass
    assert refused.value.response.status_code == 403


def test_a_message_of_a_megabyte_ends_its_connection(stack: RunningStack) -> None:
    """By what its head says of its size, before any of it is taken; and nothing is ever inflated:
    the server offers no compression."""
    token = stack.client("trader").token
    with open_socket(stack.url, token) as connection:
        assert connection.response is not None
        assert "Sec-WebSocket-Extensions" not in connection.response.headers
        # Text, masked by zeros, a million bytes of which some come: with all of them on their way,
        # the server's reset may overtake its own close frame.
        connection.socket.sendall(b"\x81\xff" + (1_000_000).to_bytes(8) + bytes(4) + b"x" * 100)
        with pytest.raises(ConnectionClosed) as closed:
            connection.recv(timeout=30)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def test_a_websocket_of_our_own_origin_gets_a_snapshot(stack: RunningStack) -> None:
    token = stack.client("trader").token
    with open_socket(stack.url, token, origin=stack.url) as connection:
        connection.send(subscription(["Test1"]))
        assert json.loads(connection.recv(timeout=30))["type"] == "snapshot"


def test_coming_after_the_last_one_left_is_no_fault(stack: RunningStack) -> None:
    log = stack.layout.logs / "ws.log"
    before = log.read_text().count("groups not joined")
    for user in ("trader", "middleoffice", "ops"):
        with stack.live(user, []):
            pass
        time.sleep(0.5)
    assert log.read_text().count("groups not joined") == before
