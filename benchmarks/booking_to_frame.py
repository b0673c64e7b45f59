"""From sending a booking to the websocket frame that shows it, at BENCH_A_SECOND (20) bookings a
second.

Against a stack of its own, through nginx as a user goes. Beside it stand, from the same run: the
booking's own answer, a booking with nobody else about, and what no design can go below here, a bare
COMMIT and a bare publish through the same servers.
"""

import os
import shutil
import tempfile
import threading
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Self

import psycopg
import redis
from channels_redis.serializers import registry

from benchmarks.report import Report
from tests.stack.client import Client, Row
from tests.stack.live import Live
from tests.stack.running import RunningStack

A_SECOND = int(os.environ.get("BENCH_A_SECOND", "20"))
SECONDS = 10
BASELINE = 200
WARM_UP = 40
THREADS = 6
HOPS = {
    "trade": [
        ("POST to notice of the trade", "due", "trade_notice"),
        ("notice to trade frame", "trade_notice", "trade_frame"),
    ],
    "position": [
        ("POST to position written", "due", "applied"),
        ("position written to its notice", "applied", "position_notice"),
        ("notice to position frame", "position_notice", "position_frame"),
    ],
}
PATIENCE = 30.0
"""Seconds that the last frames may take to come."""


@dataclass
class Sent:
    """One booking: moments by `time.perf_counter`, 0 while it has not happened."""

    ticker: str
    quantity: int
    """Of the position after it: bookings of one ticker lie seconds apart."""
    due: float = 0.0
    answered: float = 0.0
    trade_frame: float = 0.0
    position_frame: float = 0.0
    applied: float = 0.0
    """When a worker wrote the position, by the database's clock."""
    trade_notice: float = 0.0
    position_notice: float = 0.0
    """When Redis told of the trade, and first of the position after it was written."""


class Watch:
    """Notes when the rows of each booking arrive."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[str, float] = {}
        self._quantities: dict[tuple[str, int], tuple[float, float]] = {}
        # The row's own time is the clock's; ours here are the counter's.
        self._clock = time.time() - time.perf_counter()

    def message(self, message: Row, arrived: float) -> None:
        if message["type"] != "update":
            return
        with self._lock:
            for row in message["trades"]:
                self._rows.setdefault(row["id"], arrived)
            for row in message["positions"]:
                if row["updated_at"] is None:  # P&L has read the booking, positions not yet
                    continue
                quantity = int(Decimal(row["quantity"]))
                written = datetime.fromisoformat(row["updated_at"]).timestamp() - self._clock
                # A row may show several bookings at once.
                for each in range(quantity, 0, -1):
                    if (row["ticker"], each) in self._quantities:
                        break
                    self._quantities[row["ticker"], each] = arrived, written

    def trade(self, trade: str) -> float:
        with self._lock:
            return self._rows.get(trade, 0.0)

    def position(self, ticker: str, quantity: int) -> tuple[float, float]:
        """When the frame arrived, and when its row had been written."""
        with self._lock:
            return self._quantities.get((ticker, quantity), (0.0, 0.0))


class Notices:
    """What Redis tells of one account, as the ws process hears it; a context manager."""

    def __init__(self, stack: RunningStack, account: str) -> None:
        settings = stack.settings()
        with psycopg.connect(settings["DATABASE_URL"], autocommit=True) as database:
            names = database.execute("SELECT id, ticker FROM prices_instrument").fetchall()
            found = database.execute("SELECT id FROM accounts_account WHERE code = %s", [account])
            (pk,) = found.fetchone() or (0,)
        self._tickers: dict[int, str] = dict(names)
        self._server = redis.Redis.from_url(settings["REDIS_URL"])
        self._listener = self._server.pubsub()  # type: ignore[no-untyped-call]
        self._listener.subscribe(f"eqtrade__group__account.{pk}")
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self.trades: dict[str, float] = {}
        self.tickers: dict[str, list[float]] = defaultdict(list)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join(10)
        self._server.close()

    def _listen(self) -> None:
        serializer = registry.get_serializer("msgpack")
        while not self._ends.is_set():
            message = self._listener.get_message(ignore_subscribe_messages=True, timeout=0.2)
            if message is None:
                continue
            now, notice = time.perf_counter(), serializer.deserialize(message["data"])
            for trade in notice["trades"] or ():
                self.trades.setdefault(trade, now)
            for instrument in notice["instruments"] or ():
                self.tickers[self._tickers[instrument]].append(now)

    def after(self, ticker: str, moment: float) -> float:
        """The first notice of a position after a moment; 0 if there was none."""
        told = self.tickers[ticker]
        place = bisect_left(told, moment)
        return told[place] if place < len(told) else 0.0


def measure(report: Report) -> None:
    """Start a stack, measure, stop it."""
    with own_stack() as stack:
        _measure(stack, report)


@contextmanager
def own_stack() -> Iterator[RunningStack]:
    place = Path(tempfile.mkdtemp(prefix="eqtrade-bench-", dir="/tmp"))
    place.chmod(0o711)
    stack = RunningStack(place / "data")
    try:
        print("starting a stack of its own …", flush=True)
        stack.start()
        yield stack
    finally:
        stack.stop()
        shutil.rmtree(place, ignore_errors=True)


def _measure(stack: RunningStack, report: Report) -> None:
    client = stack.client("trader")
    tickers = [row["ticker"] for row in client.rows("prices/")[:50]]
    other, desk = stack.desk(), stack.desk()
    for _ in range(WARM_UP):
        client.book(other, "KO", "buy", 1, 60)

    _baselines(stack, report)
    alone = [_timed(lambda: client.book(other, "KO", "buy", 1, 60)) for _ in range(BASELINE)]
    report.spread("booking alone", alone, "ms", beside="COMMIT")

    watch = Watch()
    with (
        Notices(stack, desk) as notices,
        Live(stack.url, client.token, [desk], watch.message),
    ):
        sent = _book(client, desk, tickers, watch, notices)
    report.add("bookings", len(sent), "")
    report.add("bookings without a frame", sum(not s.position_frame for s in sent), "")
    shown = [s for s in sent if s.trade_frame and s.position_frame]
    answers = [_ms(s.due, s.answered) for s in sent]
    report.spread("POST to answer", answers, "ms", beside="booking alone")
    for name in ("trade", "position"):
        times = [_ms(s.due, getattr(s, f"{name}_frame")) for s in shown]
        report.spread(f"POST to {name} frame", times, "ms", beside="POST to answer")
    # Where it goes: hops that follow one another, whatever the answer does meanwhile.
    for name, hops in HOPS.items():
        whole = f"POST to {name} frame"
        for what, begins, ends in hops:
            pairs = [(getattr(s, begins), getattr(s, ends)) for s in shown]
            times = [_ms(begin, end) for begin, end in pairs if begin and end]
            report.spread(what, times, "ms", beside=whole)


def _book(
    client: Client, desk: str, tickers: list[str], watch: Watch, notices: Notices
) -> list[Sent]:
    """Book on schedule, whatever the answers take; wait for the frames."""
    count = A_SECOND * SECONDS
    sent = [Sent(tickers[n % len(tickers)], n // len(tickers) + 1) for n in range(count)]
    trades: dict[int, str] = {}
    local = threading.local()

    def book(number: int) -> None:
        if not hasattr(local, "client"):
            local.client = client.another()
        one = sent[number]
        trades[number] = local.client.book(desk, one.ticker, "buy", 1, 100)["id"]
        one.answered = time.perf_counter()

    began = time.perf_counter() + 0.5
    with ThreadPoolExecutor(THREADS) as pool:
        for number, one in enumerate(sent):
            one.due = began + number / A_SECOND
            time.sleep(max(0.0, one.due - time.perf_counter()))
            pool.submit(book, number)
    deadline = time.perf_counter() + PATIENCE
    while time.perf_counter() < deadline:
        for number, one in enumerate(sent):
            one.trade_frame = watch.trade(trades[number])
            one.position_frame, one.applied = watch.position(one.ticker, one.quantity)
        if all(one.trade_frame and one.position_frame for one in sent):
            break
        time.sleep(0.05)
    for number, one in enumerate(sent):
        one.trade_notice = notices.trades.get(trades[number], 0.0)
        one.position_notice = notices.after(one.ticker, one.applied)
    return sent


def _baselines(stack: RunningStack, report: Report) -> None:
    """What limits every design on this machine: a durable commit, and a hop through Redis."""
    settings = stack.settings()
    with psycopg.connect(settings["DATABASE_URL"], autocommit=True) as database:

        def commit() -> None:
            # A record in the log and nothing else; the COMMIT waits until it is on disk.
            database.execute("SELECT pg_logical_emit_message(true, 'benchmark', 'x')")

        commits = [_timed(commit) for _ in range(BASELINE)]
    report.spread("COMMIT", commits, "ms")
    server = redis.Redis.from_url(settings["REDIS_URL"])
    with server.pubsub() as listener:  # type: ignore[no-untyped-call]
        listener.subscribe("benchmark")
        listener.get_message(timeout=5)

        def round_trip() -> None:
            server.publish("benchmark", "x")
            while listener.get_message(timeout=5) is None:
                pass

        hops = [_timed(round_trip) for _ in range(BASELINE)]
    server.close()
    report.spread("publish and receive", hops, "ms")


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return _ms(began, time.perf_counter())


def _ms(began: float, ended: float) -> float:
    return (ended - began) * 1000
