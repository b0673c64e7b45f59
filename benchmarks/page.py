"""The page with a full book in front of it: how it loads, how it keeps up, what it holds.

A stack of its own, nginx as a user has it, a real Chromium. The accounts hold every name, so that
the simulated prices alone change rows all the time; how many a second is counted on the websocket.
Long tasks are taken from Chromium's own trace of the page's main thread, memory after a collection
of garbage. From the environment: PAGE_SECONDS (300), PAGE_ACCOUNTS (10), PAGE_TRADES (50000),
PAGE_FILE_ROWS (100000).
"""

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, WebSocket, sync_playwright

from benchmarks.booking_to_frame import own_stack
from benchmarks.report import Report
from tests.stack.running import PASSWORD, RunningStack

SECONDS = int(os.environ.get("PAGE_SECONDS", "300"))
ACCOUNTS = int(os.environ.get("PAGE_ACCOUNTS", "10"))
TRADES = int(os.environ.get("PAGE_TRADES", "50000"))
FILE_ROWS = int(os.environ.get("PAGE_FILE_ROWS", "100000"))
AT_ONCE = 10_000
WINDOW = 20.0
"""Seconds of one trace: longer ones fill Chromium's buffer."""
TRACED = ["toplevel", "disabled-by-default-devtools.timeline"]
LONG = 50.0
"""Milliseconds from which on a task is a long one, as browsers count."""


@dataclass
class Frames:
    """What came over the websocket."""

    rows: int = 0
    trades: int = 0
    messages: int = 0
    snapshots: int = 0
    snapshot_bytes: int = 0

    def received(self, payload: str | bytes) -> None:
        message = json.loads(payload)
        if message["type"] == "snapshot":
            self.snapshots += 1
            self.snapshot_bytes = len(payload)
            self.trades = len(message["trades"])
        elif message["type"] == "update":
            self.messages += 1
            self.rows += len(message.get("positions", ()))


@dataclass
class Load:
    """Bytes as they came over the network, compressed; by kind of file."""

    bytes_by_kind: dict[str, float] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)

    def follow(self, session: CDPSession) -> None:
        session.on("Network.responseReceived", self._response)
        session.on("Network.loadingFinished", self._finished)
        session.send("Network.enable")

    def _response(self, event: dict[str, Any]) -> None:
        self.kinds[event["requestId"]] = event["type"]

    def _finished(self, event: dict[str, Any]) -> None:
        kind = self.kinds.get(event["requestId"], "Other")
        self.bytes_by_kind[kind] = self.bytes_by_kind.get(kind, 0) + event["encodedDataLength"]


def measure(report: Report) -> None:
    """Start a stack, fill the book, open the page, watch it."""
    with own_stack() as stack:
        desks = [stack.desk() for _ in range(ACCOUNTS)]
        fill(stack, desks, TRADES)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"),
                args=["--no-sandbox"] if os.geteuid() == 0 else [],
            )
            _first_load(browser, stack, report)
            _bulk(browser, stack, report)
            _watch(browser, stack, desks, report)
            browser.close()


def fill(stack: RunningStack, desks: list[str], count: int) -> None:
    """Every desk trades every name, round after round, until so many trades are there."""
    client = stack.client("trader")
    tickers = [row["ticker"] for row in client.rows("instruments/")][:500]

    def trades() -> Iterator[dict[str, str]]:
        while True:
            for desk in desks:
                for ticker in tickers:
                    yield {
                        "account": desk,
                        "ticker": ticker,
                        "side": "buy",
                        "quantity": "10",
                        "price": "100",
                    }

    endless = trades()
    for start in range(0, count, AT_ONCE):
        piece = list(islice(endless, min(AT_ONCE, count - start)))
        answer = client.post("trades/bulk/", trades=piece)
        assert answer.status_code == 201, answer.text
        print(f"booked {start + len(piece):,} of {count:,}", flush=True)
    deadline = time.monotonic() + 300
    while any(lag["entries"] for lag in stack.client("ops").get("system/").json()["ledger"]["lag"]):
        assert time.monotonic() < deadline, "the readers do not catch up"
        time.sleep(0.5)


@contextmanager
def opened(browser: Browser, stack: RunningStack, accounts: list[str]) -> Iterator[Page]:
    """A page of a user who is logged in, with nothing cached, not yet at the positions."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script(f"localStorage['eqtrade.trader.accounts'] = '{json.dumps(accounts)}'")
    page = context.new_page()
    watched: list[list[str]] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda said: _note(watched, said)))
    page.set_default_timeout(120_000)
    page.goto(f"{stack.url}/login/?next=/password/")
    page.get_by_label("User name").fill("trader")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("Change password").first.wait_for()
    yield page
    context.close()
    assert all(each == accounts for each in watched), f"the page watched {watched[-1][:5]} …"


def _note(watched: list[list[str]], said: str | bytes) -> None:
    """The accounts of a subscription; where a page keeps its choice has changed before."""
    message = json.loads(said)
    if message.get("type") == "subscribe":
        watched.append(message["accounts"])


def _first_load(browser: Browser, stack: RunningStack, report: Report) -> None:
    """With the demo's own accounts, as most users will see it."""
    with opened(browser, stack, ["Test1", "Test2"]) as page:
        session = page.context.new_cdp_session(page)
        load = Load()
        load.follow(session)
        page.goto(f"{stack.url}/")
        page.locator("[data-testid=positions-grid] .ag-row").first.wait_for()
        page.locator("[data-testid=ticket-ticker]").click()
        interactive = page.evaluate("performance.now()")
        page.wait_for_timeout(3_000)
        for kind in ("Document", "Script", "Stylesheet", "Font"):
            report.add(f"first load, {kind.lower()}", load.bytes_by_kind.get(kind, 0) / 1024, "kB")
        report.add("first load, all of it", sum(load.bytes_by_kind.values()) / 1024, "kB")
        blotter = page.evaluate(
            """performance.getEntriesByType("resource").filter(
                (entry) => entry.name.includes("/assets/") && entry.startTime < performance
                    .getEntriesByType("navigation")[0].loadEventEnd).length"""
        )
        report.add("first load, files before the page's load event", blotter, "")
        report.add("first load until rows are shown and the ticket takes keys", interactive, "ms")


def _bulk(browser: Browser, stack: RunningStack, report: Report) -> None:
    """A large file chosen on the bulk page, looked at, and booked."""
    desk = stack.desk()
    tickers = [row["ticker"] for row in stack.client("trader").rows("instruments/")][:100]
    lines = (f"{tickers[n % 100]},{desk},buy,{1 + n % 50},100.25\n" for n in range(FILE_ROWS))
    content = "ticker,account,side,quantity,price\n" + "".join(lines)
    with opened(browser, stack, [desk]) as page:
        page.goto(f"{stack.url}/bulk/")
        page.get_by_role("button", name="Choose a file…").wait_for()
        page.wait_for_timeout(2_000)
        browser.start_tracing(page=page, categories=TRACED)
        began = time.monotonic()
        page.get_by_test_id("bulk-file").set_input_files(
            {"name": "trades.csv", "mimeType": "text/csv", "buffer": content.encode()}
        )
        total = page.get_by_test_id("bulk-total")
        total.filter(has_text=f"{FILE_ROWS:,}").wait_for()
        report.add(f"file of {FILE_ROWS:,} rows until looked at", time.monotonic() - began, "s")
        page.wait_for_timeout(1_000)
        found = _tasks(browser.stop_tracing())
        report.add("file, longest task", max(found, default=0), "ms")
        browser.start_tracing(page=page, categories=TRACED)
        began = time.monotonic()
        page.get_by_test_id("bulk-group-size").fill("1000")
        page.get_by_test_id("bulk-book").click()
        booked = page.get_by_test_id("import").first
        booked.filter(has_text=f"{FILE_ROWS:,} booked").wait_for(timeout=300_000)
        report.add("file, until booked", time.monotonic() - began, "s")
        found = _tasks(browser.stop_tracing())
        report.add("file, longest task while it is booked", max(found, default=0), "ms")


def _watch(browser: Browser, stack: RunningStack, desks: list[str], report: Report) -> None:
    frames = Frames()

    def follow(socket: WebSocket) -> None:
        socket.on("framereceived", frames.received)

    with opened(browser, stack, desks) as page:
        page.on("websocket", follow)
        session = page.context.new_cdp_session(page)
        browser.start_tracing(page=page, categories=TRACED)
        page.goto(f"{stack.url}/")
        page.locator("[data-testid=positions-grid] .ag-row").first.wait_for()
        page.get_by_test_id("connection-state").get_by_text("Live").wait_for()
        full = page.evaluate("performance.now()")
        page.wait_for_timeout(2_000)
        loading = _tasks(browser.stop_tracing())
        page.wait_for_timeout(8_000)
        report.add("trades on the page", frames.trades, "")
        report.add("snapshot", frames.snapshot_bytes / 1024 / 1024, "MB")
        report.add("full book until rows are shown", full, "ms")
        report.add("full book, longest task while it loads", max(loading, default=0), "ms")

        seen: list[float] = []
        memory = [_heap(session)]
        frames.rows = frames.messages = frames.snapshots = 0
        began = time.monotonic()
        while time.monotonic() - began < SECONDS:
            browser.start_tracing(page=page, categories=TRACED)
            page.wait_for_timeout(1000 * min(WINDOW, SECONDS))
            seen += _tasks(browser.stop_tracing())
            memory.append(_heap(session))
            print(f"{time.monotonic() - began:4.0f} s  heap {memory[-1]:.1f} MB", flush=True)
        took = time.monotonic() - began
        report.add("position rows changed a second", frames.rows / took, "")
        report.add("messages a second", frames.messages / took, "")
        report.add("snapshots, where none is needed", frames.snapshots, "")
        report.add("watched for", took, "s")
        report.add("longest task", max(seen, default=0), "ms")
        report.add("tasks above 200 ms", sum(task > 200 for task in seen), "")
        report.add("tasks above 50 ms", sum(task > LONG for task in seen), "")
        report.add("main thread busy", sum(seen) / 10 / took, "%")
        third = max(1, len(memory) // 3)
        first, last = sum(memory[:third]) / third, sum(memory[-third:]) / third
        report.add("heap, first third", first, "MB")
        report.add("heap, last third", last, "MB", beside="heap, first third")


def _tasks(trace: bytes) -> list[float]:
    """Milliseconds of every task on the page's main thread."""
    return [wall for wall, _ in tasks(trace)]


def tasks(trace: bytes) -> list[tuple[float, float]]:
    """Milliseconds of every task on the page's main thread: by the clock, and on a core."""
    events = json.loads(trace)["traceEvents"]
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"].get("name") == "CrRendererMain"
    }
    return [
        (event["dur"] / 1000, event.get("tdur", event["dur"]) / 1000)
        for event in events
        if event.get("ph") == "X"
        and event["name"].endswith("RunTask")
        and (event["pid"], event["tid"]) in mains
        and "dur" in event
    ]


def _heap(session: CDPSession) -> float:
    """MB in use after a collection of garbage."""
    session.send("HeapProfiler.collectGarbage")
    return float(session.send("Runtime.getHeapUsage")["usedSize"]) / 1024 / 1024
