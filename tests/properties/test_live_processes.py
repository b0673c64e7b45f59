"""Whatever happens to a running stack, who watches it sees what REST answers when all is quiet.

Real processes: bookings and corrections through the API, workers that apply them, prices that tick,
notices that are lost, Valkey and ws that are killed, connections that break, windows and accounts
that change. REST reads the database anew; a fresh snapshot comes from the boards that are tested.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from websockets.exceptions import WebSocketException

from docs.examples.live_blotter import KEYS
from tests.stack.client import Client, Row
from tests.stack.eventually import eventually
from tests.stack.live import NO_NEWS, Live, State, fresh_state
from tests.stack.running import RunningStack
from tests.stack.ticker import Ticker, go_on, stand_still, ticker

BUDGET_SECONDS = float(os.environ.get("LIVE_SECONDS", "20"))
"""Of playing; what is drawn after that, but for the first, is left out. Each kind
of trouble is played once before."""
EXAMPLES = int(os.environ.get("LIVE_EXAMPLES", "50"))
WATCHERS = 3
NEWEST = 8
STANDS_STILL_SECONDS = 1.0
TICKERS = ("AMZN", "MSFT", "NVDA", "KO")
MOVED = 500

numbers = st.integers(0, 1_000)
watchers = st.integers(0, WATCHERS - 1)
desks = st.integers(0, 2)
book = st.tuples(st.just("book"), desks, st.sampled_from(TICKERS), st.integers(-50, 50))
amend = st.tuples(st.just("amend"), numbers, st.integers(1, 90))
move = st.tuples(st.just("move"), numbers, desks)
watch = st.tuples(
    st.just("watch"),
    watchers,
    st.sets(desks, min_size=1),
    st.sampled_from([0, 1, 3, 7, 2_000]),
    st.sampled_from(["all", "none", [*TICKERS]]),
)
usual = st.one_of(
    *(book, book, book, amend, amend, move, move, move, move, watch, watch),
    *(st.tuples(st.just("cancel"), numbers), st.tuples(st.just("tick"))),
)
trouble = st.one_of(
    *(st.tuples(st.just("lose_notices")), st.tuples(st.just("drop"), watchers)),
    *(st.tuples(st.just("kill_valkey")), st.tuples(st.just("kill_ws"))),
)
# A new connection begins with a snapshot, which would hide what was told wrong before it.
calm = st.lists(usual, min_size=8, max_size=30)
plays = st.one_of(
    calm, calm, st.tuples(calm, trouble, calm).map(lambda parts: [*parts[0], parts[1], *parts[2]])
)

EACH_TROUBLE: list[list[tuple[Any, ...]]] = [
    [("book", 0, "KO", 5), ("lose_notices",)],
    [("lose_notices",), ("book", 1, "KO", 7), ("move", 0, 2), ("tick",)],
    [("kill_valkey",), ("book", 0, "MSFT", 3), ("amend", 0, 8), ("tick",)],
    [("book", 2, "NVDA", -4), ("kill_ws",), ("cancel", 0), ("watch", 0, {1, 2}, 1, "none")],
    [("book", 0, "KO", quantity) for quantity in range(NEWEST)],
    # The newest leaves two of the windows, which an older one has to fill.
    [("move", NEWEST - 1, 2)],
]


@dataclass
class Theatre:
    """The stack, who watches it, and what was booked: ids with the version that stands."""

    stack: RunningStack
    prices: Ticker
    desks: list[str]
    lives: list[Live]
    trader: Client
    asked: list[dict[str, Any]]
    trades: dict[str, int] = field(default_factory=dict)
    standing: list[str] = field(default_factory=list)
    quiet: int = 0

    def play(self, steps: list[tuple[Any, ...]]) -> None:
        for name, *arguments in steps:
            getattr(self, name)(*arguments)
        eventually(self.everybody_sees_what_rest_answers)
        self.quiet += 1

    # --- what happens ---------------------------------------------------------------------------

    def book(self, desk: int, symbol: str, quantity: int) -> None:
        side = "buy" if quantity > 0 else "sell"
        row = self.trader.book(self.desks[desk], symbol, side, abs(quantity) + 1, 100)
        self.trades[row["id"]] = 1
        self.standing.append(row["id"])

    def amend(self, number: int, quantity: int) -> None:
        self._correct(number, "patch", "", quantity=str(Decimal(quantity) / 4))

    def move(self, number: int, desk: int) -> None:
        self._correct(number, "patch", "", account=self.desks[desk])

    def cancel(self, number: int) -> None:
        if trade := self._correct(number, "post", "cancel/"):
            self.standing.remove(trade)

    def _correct(self, number: int, method: str, path: str, **terms: str) -> str | None:
        """The trade that was corrected. What changes nothing is refused, and nothing happened."""
        if not self.standing:
            return None
        # Of the newest: they are in the windows, and what becomes of them moves those.
        newest = self.standing[-NEWEST:]
        trade = newest[number % len(newest)]
        answer = self.trader.session.request(
            method,
            f"{self.stack.url}/api/v1/trades/{trade}/{path}",
            json={"version": self.trades[trade], "reason": "a test", **terms},
            timeout=60,
        )
        if answer.status_code == 400:
            return None
        assert answer.status_code == 200, answer.text
        self.trades[trade] = answer.json()["version"]
        return trade

    def tick(self) -> None:
        self.prices.tick(MOVED)

    def watch(self, watcher: int, desks: set[int], trades: int, prices: Any) -> None:
        asked = {"trades": trades, "prices": prices}
        self.asked[watcher] = {"accounts": sorted(self.desks[each] for each in desks), **asked}
        self.lives[watcher].ask(**self.asked[watcher])

    def drop(self, watcher: int) -> None:
        self.lives[watcher].drop()

    def lose_notices(self) -> None:
        """ws is cut off from Redis while it stands still, for less than it takes to notice: what
        the workers tell meanwhile is heard by nobody."""
        ws = self.stack.pid("ws")
        os.kill(ws, signal.SIGSTOP)
        try:
            with (
                redis.Redis.from_url(self.stack.settings()["REDIS_URL"]) as server,
                suppress(redis.RedisError),
            ):
                server.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            self.book(0, "KO", 3)
            self.amend(0, 7)
            time.sleep(STANDS_STILL_SECONDS)
        finally:
            os.kill(ws, signal.SIGCONT)

    def kill_valkey(self) -> None:
        self.stack.kill("valkey")

    def kill_ws(self) -> None:
        self.stack.kill("ws")

    # --- what must come of it -------------------------------------------------------------------

    def everybody_sees_what_rest_answers(self) -> None:
        answered = self._rest()
        for live, asked in zip(self.lives, self.asked, strict=True):
            expected = _expected(answered, **asked)
            told = live.state
            assert live.faults == []
            for kind, rows in expected.items():
                _same(kind, told[kind], rows)
            totals = {code: len(answered["trades", code]) for code in asked["accounts"]}
            assert {code: live.trades_total.get(code) for code in totals} == totals
        for asked in self.asked:
            fresh = self._fresh(asked)
            for kind, rows in _expected(answered, **asked).items():
                _same(f"fresh {kind}", fresh[kind], rows)

    def _fresh(self, asked: dict[str, Any]) -> State:
        """What who comes now is told; that nobody is there to tell it is worth another look."""
        try:
            return fresh_state(self.stack.url, self.trader.token, **asked)
        except (OSError, WebSocketException) as error:
            raise AssertionError(f"no fresh snapshot: {error!r}") from error

    def _rest(self) -> dict[tuple[str, str], list[Row]]:
        found = {("prices", ""): self.trader.rows("prices/")}
        totals = self.trader.rows("pnl/", by="account")
        for code in self.desks:
            found["positions", code] = self.trader.rows("positions/", account=code)
            found["trades", code] = self.trader.rows("trades/", account=code)
            found["totals", code] = [row for row in totals if row["account"] == code]
        return found


def _expected(
    answered: dict[tuple[str, str], list[Row]], accounts: list[str], trades: int, prices: Any
) -> State:
    """What a client that asked for this has to show."""
    rows = {
        kind: [row for code in accounts for row in answered[kind, code]]
        for kind in ("positions", "trades", "totals")
    }
    rows["trades"] = sorted(rows["trades"], key=lambda row: str(row["id"]), reverse=True)[:trades]
    shown = [] if prices == "none" else answered["prices", ""]
    rows["prices"] = [row for row in shown if prices == "all" or row["ticker"] in prices]
    return {
        kind: {
            tuple(row[name] for name in KEYS[kind]): {
                name: value for name, value in row.items() if name not in NO_NEWS
            }
            for row in found
        }
        for kind, found in rows.items()
    }


def _same(kind: str, told: dict[Any, Row], expected: dict[Any, Row]) -> None:
    wrong = [
        (key, told.get(key), expected.get(key))
        for key in told.keys() | expected.keys()
        if told.get(key) != expected.get(key)
    ]
    assert not wrong, f"{kind}, told and expected: {wrong[:3]}"


@pytest.fixture
def theatre(stack: RunningStack) -> Iterator[Theatre]:
    stand_still(stack)
    trader, codes = stack.client("trader"), [stack.desk() for _ in range(3)]
    asked: list[dict[str, Any]] = [
        {"accounts": codes, "trades": 2_000, "prices": "all"},
        {"accounts": codes[:2], "trades": 3, "prices": "none"},
        {"accounts": codes[:1], "trades": 1, "prices": [*TICKERS]},
    ]
    try:
        with ExitStack() as ends:
            prices = ends.enter_context(ticker(stack))
            lives = [ends.enter_context(Live(stack.url, trader.token, **each)) for each in asked]
            yield Theatre(stack, prices, codes, lives, trader, asked)
    finally:
        go_on(stack)


def test_who_watches_sees_what_rest_answers_when_all_is_quiet(theatre: Theatre) -> None:
    for steps in EACH_TROUBLE:
        theatre.play(steps)
    ends = time.monotonic() + BUDGET_SECONDS

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(plays)
    def play(steps: list[tuple[Any, ...]]) -> None:
        if theatre.quiet == len(EACH_TROUBLE) or time.monotonic() < ends:
            theatre.play(steps)

    played: Callable[[], None] = play
    played()
    print(f"quiet {theatre.quiet} times, {len(theatre.trades)} trades")
    assert theatre.quiet > len(EACH_TROUBLE)
