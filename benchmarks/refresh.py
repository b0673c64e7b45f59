"""A refresh of the whole index: asked of a Yahoo on loopback by yfinance as it is, written, and
shown to every watcher.

The asking process is one of its own, as a worker is, and says how long each part took and how much
memory it held at most. The stack's prices are simulated ones that stand still, so that the figures
do not depend on the exchange being open; what is asked of Yahoo is written in their place. Beside
it stands what the closes of all of them cost, one chart each, without the pace that is kept with
the real Yahoo.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.booking_to_frame import own_stack
from benchmarks.report import Report
from eqtrade.up.options import PROJECT
from prices.sessions.calendar import published_calendar
from tests.stack.client import Row
from tests.stack.live import Live
from tests.stack.running import RunningStack
from tests.stack.ticker import stand_still
from tests.yahoo.market import Market
from tests.yahoo.server import YahooServer

TURNS = 10
WATCHERS = 8
PATIENCE = 60.0
# Any moment of any session: the server's present.
PRESENT = datetime(2026, 1, 30, 16, 0, tzinfo=UTC)


class Turn:
    """The price of every symbol, all moved at each turn."""

    def __init__(self) -> None:
        self.number = 0

    def price(self, symbol: str, _: datetime) -> float:
        base = 50 + sum(ord(letter) * 7 for letter in symbol) % 300
        return round(base + self.number / 100, 2)


class Watcher:
    """Counts the positions that show a turn's price, and when the last one did."""

    def __init__(self, turn: Turn, wanted: int) -> None:
        self._turn, self._wanted = turn, wanted
        self._seen: set[str] = set()
        self.done = threading.Event()
        self.last = 0.0

    def begin(self) -> None:
        self._seen.clear()
        self.done.clear()

    def message(self, message: Row, arrived: float) -> None:
        for row in message.get("positions", []):
            symbol = row["ticker"].replace(".", "-")
            if Decimal(row["price"] or 0) == Decimal(str(self._turn.price(symbol, PRESENT))):
                self._seen.add(symbol)
        if len(self._seen) == self._wanted and not self.done.is_set():
            self.last = arrived
            self.done.set()


def measure(report: Report) -> None:
    turn = Turn()
    with ExitStack() as ends:
        stack = ends.enter_context(own_stack())
        stand_still(stack)
        time.sleep(3)  # until beat has seen it
        trader = stack.client("trader")
        tickers = [row["ticker"] for row in trader.rows("prices/")]
        server = ends.enter_context(_yahoo(tickers, turn))
        desk = stack.desk()
        trades = [
            {"account": desk, "ticker": ticker, "side": "buy", "quantity": "1", "price": "1"}
            for ticker in tickers
        ]
        answer = trader.post("trades/bulk/", trades=trades)
        assert answer.status_code == 201, answer.text
        watchers = [Watcher(turn, len(tickers)) for _ in range(WATCHERS)]
        for watcher in watchers:
            live = Live(stack.url, trader.token, [desk], watcher.message)
            ends.enter_context(live)
            live.wait(lambda each: len(each.rows("positions")) == len(tickers))
        asker = ends.enter_context(_asker(stack, server))
        turns = [_refresh(asker, turn, watchers) for _ in range(TURNS + 1)][1:]
        closes = _tell(asker, "closes")

    report.add("instruments", len(tickers), "")
    report.add("watchers", WATCHERS, "")
    report.spread("asked of Yahoo", (each["asked_ms"] for each in turns), "ms")
    report.spread("written", (each["written_ms"] for each in turns), "ms")
    report.spread("write to every row of every watcher", (e["shown_ms"] for e in turns), "ms")
    report.spread("refresh to every row of every watcher", (e["whole_ms"] for e in turns), "ms")
    report.add("memory before yfinance", turns[0]["memory_before_mb"], "MB")
    report.add("peak memory, refreshes", max(each["memory_mb"] for each in turns), "MB")
    report.add("closes of all", closes["asked_ms"], "ms")
    report.add("peak memory, closes too", closes["memory_mb"], "MB")
    assert closes["count"] == len(tickers), "closes are missing"


def _refresh(asker: "subprocess.Popen[str]", turn: Turn, watchers: list[Watcher]) -> dict[str, Any]:
    turn.number += 1
    for watcher in watchers:
        watcher.begin()
    begun = time.perf_counter()
    told = _tell(asker, "quotes")
    written = begun + (told["asked_ms"] + told["written_ms"]) / 1000
    for watcher in watchers:
        assert watcher.done.wait(PATIENCE), "a watcher was not shown every row"
    last = max(watcher.last for watcher in watchers)
    return {
        **told,
        "shown_ms": max(0.0, (last - written) * 1000),
        "whole_ms": (last - begun) * 1000,
    }


def _tell(asker: "subprocess.Popen[str]", what: str) -> dict[str, Any]:
    assert asker.stdin is not None
    assert asker.stdout is not None
    asker.stdin.write(what + "\n")
    asker.stdin.flush()
    answer: dict[str, Any] = json.loads(asker.stdout.readline())
    return answer


@contextmanager
def _yahoo(tickers: list[str], turn: Turn) -> Iterator[YahooServer]:
    calendar = published_calendar()
    days = {d: calendar.get(d) for d in calendar.between(date(2026, 1, 20), date(2026, 2, 3))}
    sessions = {day: session for day, session in days.items() if session}
    with YahooServer().running() as server:
        symbols = [ticker.replace(".", "-") for ticker in tickers]
        server.market = Market(symbols, sessions, lambda: PRESENT, turn.price)
        yield server


@contextmanager
def _asker(stack: RunningStack, server: YahooServer) -> Iterator["subprocess.Popen[str]"]:
    with tempfile.TemporaryDirectory() as place:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.refresh"],
            cwd=PROJECT,
            env={**os.environ, **stack.settings(), **server.environment(Path(place))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(20)


def ask() -> None:
    """The asking process: a line in, a line of figures out."""
    import resource

    import django

    django.setup()
    from kernel import clock
    from prices.quotes.write import quotes_keep
    from prices.selectors import priced_instruments
    from prices.sources import SourceQuote
    from prices.sources.yahoo import YahooSource
    from prices.sources.yfinance_client import YahooClient

    def megabytes() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    source = YahooSource(YahooClient(per_second=100_000, timeout=10))
    instruments = priced_instruments(clock.now())
    before = megabytes()
    for line in sys.stdin:
        begun = time.perf_counter()
        if line.strip() == "closes":
            day = date(2026, 1, 29)
            count = len(source.closes(instruments, day, day, now=PRESENT))
            asked = written = time.perf_counter()
        else:
            quotes = source.quotes(instruments, now=PRESENT)
            asked = time.perf_counter()
            now = clock.now()
            restamped = [SourceQuote(each.ticker, each.price, now) for each in quotes]
            count = quotes_keep("simulated", instruments, restamped)
            written = time.perf_counter()
        figures = {
            "count": count,
            "asked_ms": (asked - begun) * 1000,
            "written_ms": (written - asked) * 1000,
            "memory_before_mb": before,
            "memory_mb": megabytes(),
        }
        print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    ask()
