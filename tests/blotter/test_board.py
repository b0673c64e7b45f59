"""Snapshot + updates = a fresh snapshot, for any sequence of changes and any slowness."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from blotter.live.board import Board, Reading, Row

ACCOUNTS = ["A", "B"]
TICKERS = ["IBM", "XOM"]


class World:
    """What a database would hold: one quantity a key, one account a trade, one price a ticker."""

    def __init__(self) -> None:
        self.positions: dict[tuple[str, str], int] = {}
        self.trades: dict[str, tuple[str, int]] = {}
        self.prices: dict[str, int] = {}
        self.clock = 0

    def position(self, key: tuple[str, str]) -> Row:
        return {"account": key[0], "ticker": key[1], "quantity": self.positions[key]}

    def trade(self, key: str) -> Row:
        account, version = self.trades[key]
        return {"id": key, "account": account, "version": version}

    def price(self, ticker: str) -> Row:
        return {"ticker": ticker, "price": self.prices[ticker], "age_seconds": self.clock}

    def total(self, account: str) -> Row:
        held = sum(q for (a, _), q in self.positions.items() if a == account)
        return {"account": account, "total_pnl": held, "calculated_at": self.clock}

    def read_all(self, accounts: set[str]) -> Reading:
        return Reading(
            positions=[self.position(k) for k in sorted(self.positions) if k[0] in accounts],
            trades=[self.trade(k) for k in sorted(self.trades) if self.trades[k][0] in accounts],
            totals=[self.total(a) for a in sorted(accounts)],
            prices=[self.price(t) for t in sorted(self.prices)],
        )


class Client:
    """What a page does with the messages."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[Any, Row]] = {}

    def snapshot(self, body: dict[str, list[Row]]) -> None:
        self.rows = {
            "positions": {(r["account"], r["ticker"]): r for r in body["positions"]},
            "trades": {r["id"]: r for r in body["trades"]},
            "totals": {r["account"]: r for r in body["totals"]},
            "prices": {r["ticker"]: r for r in body["prices"]},
        }

    def update(self, body: dict[str, Any]) -> None:
        for gone in body["removed"]["positions"]:
            del self.rows["positions"][gone["account"], gone["ticker"]]
        for gone in body["removed"]["trades"]:
            del self.rows["trades"][gone]
        for row in body["positions"]:
            self.rows["positions"][row["account"], row["ticker"]] = row
        for name, key in (("trades", "id"), ("totals", "account"), ("prices", "ticker")):
            for row in body[name]:
                self.rows[name][row[key]] = row

    def seen(self) -> dict[str, list[Row]]:
        without = ("age_seconds", "calculated_at")
        return {
            name: sorted(
                ({k: v for k, v in row.items() if k not in without} for row in rows.values()),
                key=str,
            )
            for name, rows in self.rows.items()
        }


keys = st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(TICKERS))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("position"), keys, st.integers(0, 3)),
        st.tuples(st.just("trade"), st.sampled_from("xyz"), st.sampled_from([*ACCOUNTS, "gone"])),
        st.tuples(st.just("price"), st.sampled_from(TICKERS), st.integers(1, 3)),
        st.tuples(st.just("send")),
        st.tuples(st.just("subscribe"), st.sets(st.sampled_from(ACCOUNTS))),
        st.tuples(st.just("lost"), st.sets(st.sampled_from(ACCOUNTS))),
    ),
    max_size=40,
)


def change(world: World, step: tuple[Any, ...]) -> Reading:
    """Change the world; what the hub then reads, with what it asked for."""
    if step[0] == "position":
        _, key, quantity = step
        world.positions.pop(key, None)
        if quantity:
            world.positions[key] = quantity
        rows = [world.position(key)] if quantity else []
        return Reading(positions=rows, asked_positions={key}, totals=[world.total(key[0])])
    if step[0] == "trade":
        _, key, account = step
        version = world.trades.pop(key, ("", 0))[1] + 1
        if account != "gone":
            world.trades[key] = account, version
        return Reading(trades=[world.trade(key)] if key in world.trades else [], asked_trades={key})
    if step[0] == "price":
        _, ticker, price = step
        world.prices[ticker] = price
        return Reading(prices=[world.price(ticker)])
    raise AssertionError(step)


@given(steps)
def test_snapshot_and_updates_make_a_fresh_snapshot(script: list[tuple[Any, ...]]) -> None:
    world, board, client = World(), Board(), Client()
    accounts = {"A"}
    client.snapshot(board.replace(accounts, world.read_all(accounts)))
    for step in script:
        world.clock += 1
        if step[0] == "send":
            body = board.take()
            if body:
                client.update(body)
        elif step[0] == "subscribe":
            accounts = step[1]
            client.snapshot(board.replace(accounts, world.read_all(accounts)))
        elif step[0] == "lost":  # the hub found out and read whole accounts again
            reading = world.read_all(step[1])
            reading.whole = reading.whole_trades = step[1]
            board.apply(reading)
        else:
            board.apply(change(world, step))
    if body := board.take():
        client.update(body)
    fresh = Client()
    fresh.snapshot(Board().replace(accounts, world.read_all(accounts)))
    assert client.seen() == fresh.seen()


def test_a_slow_client_gets_the_latest_row_once() -> None:
    board = Board()
    board.replace({"A"}, Reading())
    for quantity in range(1000):
        row = {"account": "A", "ticker": "IBM", "quantity": quantity}
        board.apply(Reading(positions=[row], asked_positions={("A", "IBM")}))
    body = board.take()
    assert body is not None
    assert [r["quantity"] for r in body["positions"]] == [999]


def test_reading_the_same_again_is_no_news() -> None:
    board = Board()
    row = {"account": "A", "ticker": "IBM", "quantity": 1}
    total = {"account": "A", "total_pnl": "1", "calculated_at": "then"}
    board.replace({"A"}, Reading(positions=[row], totals=[total]))
    board.apply(Reading(positions=[dict(row)], totals=[{**total, "calculated_at": "now"}]))
    assert board.take() is None


def test_back_to_the_row_that_another_client_knew() -> None:
    """A row that went there and back between two readings is compared with what *this* client
    knows, not with what the hub read last."""
    board = Board()
    board.replace({"A"}, Reading(positions=[{"account": "A", "ticker": "IBM", "quantity": 2}]))
    board.apply(Reading(positions=[{"account": "A", "ticker": "IBM", "quantity": 1}]))
    body = board.take()
    assert body is not None
    assert body["positions"][0]["quantity"] == 1


def test_rows_of_other_accounts_do_not_reach_the_client() -> None:
    board = Board()
    board.replace({"A"}, Reading())
    board.apply(
        Reading(
            positions=[{"account": "B", "ticker": "IBM", "quantity": 1}],
            trades=[{"id": "x", "account": "B"}],
            totals=[{"account": "B", "total_pnl": "1"}],
        )
    )
    assert board.take() is None


def test_a_trade_that_moved_away_is_removed() -> None:
    board = Board()
    board.replace({"A"}, Reading(trades=[{"id": "x", "account": "A"}]))
    board.apply(Reading(trades=[{"id": "x", "account": "B"}], asked_trades={"x"}))
    body = board.take()
    assert body is not None
    assert body["removed"]["trades"] == ["x"]
