"""Many watchers of one ws process: until each has its snapshot, what a tick of all prices costs,
what a booking costs those whom it does not concern, and all of them coming back at once.

Through nginx, as a user goes. Beside it, from the same run, each with as many watchers: a bare
`websockets` server that sends the same bytes to all, and the usual design, a `group_send` for each
row. CPU is that of the serving process alone; nothing is compressed anywhere.
"""

import json
import os
import signal
import time
from dataclasses import asdict
from typing import Any

import psutil
import redis

from benchmarks.fanout_beside import bare, usual
from benchmarks.fanout_ground import INSTRUMENTS, Ground, prepare
from benchmarks.report import Report
from benchmarks.rig.cpu import cpu_seconds
from benchmarks.rig.stacks import Stack, stacks
from benchmarks.rig.watchers import Seen, Watchers, watchers
from blotter.live.figures import KEY, Figures
from tests.stack.client import Client
from tests.stack.eventually import eventually
from tests.stack.ticker import Ticker, ticker

WATCHERS = [int(n) for n in os.environ.get("BENCH_WATCHERS", "500,2000").split(",")]
TICKS = int(os.environ.get("BENCH_TICKS", "5"))
BOOKINGS = 5
REST_SECONDS = 5.0
PATIENCE = 120.0
FIGURES_SECONDS = 3.0
"""They are written every two seconds."""


def measure(report: Report) -> None:
    report.is_aloud = True
    with stacks() as (stack, *_):
        ground = prepare(stack)
        with ticker(stack) as prices:
            for count in WATCHERS:
                _measure(ground, prices, report, count)


def _measure(ground: Ground, prices: Ticker, report: Report, count: int) -> None:
    stack, name = ground.stack, f"{count:,} watchers"
    _restart(stack)
    report.add(f"{name}: ws memory before they come", _memory(stack), "MB")
    with watchers(stack.port, ground.who(count)) as pages:
        _open(stack, pages, report, name)
        texts = _tick(stack, prices, pages, report, name)
        _book(ground, pages, report, name)
        report.add(f"{name}: ws memory", _memory(stack), "MB")
        _come_back(stack, pages, report, name)
    bare(ground, report, name, count, texts)
    usual(ground, report, name, count)


def _open(stack: Stack, pages: Watchers, report: Report, name: str) -> None:
    before, began = _figures(stack), time.time()
    used = _cpu(stack)
    pages.begin()
    seen = pages.wait(lambda seen: seen.told == pages.count, PATIENCE)
    assert seen.told == pages.count, f"{seen.told} of {pages.count} have a snapshot: {seen.closed}"
    report.add(f"{name}: until all have their snapshot", seen.last - began, "s")
    report.add(f"{name}: a snapshot", seen.bytes / seen.snapshots / 1000, "kB")
    report.add(f"{name}: ws CPU for it", _cpu(stack) - used, "s")
    after = _figures(stack)
    report.add(f"{name}: readings for it", after["readings"] - before["readings"], "")


def _tick(stack: Stack, prices: Ticker, pages: Watchers, report: Report, name: str) -> list[str]:
    """Ticks of all prices; what one watcher was sent."""
    used = _cpu(stack)
    time.sleep(REST_SECONDS)
    at_rest = (_cpu(stack) - used) / REST_SECONDS
    report.add(f"{name}: ws CPU at rest, a second", 1000 * at_rest, "ms")
    before, seen, texts = _figures(stack), Seen(), list[str]()
    took = 0.0
    used, began = _cpu(stack), time.monotonic()
    for _ in range(TICKS):
        pages.look(mark=True)
        ticked = time.time()
        prices.tick(INSTRUMENTS)
        one = pages.wait_until_quiet(PATIENCE)
        took += one.last - ticked
        seen.frames += one.frames
        seen.bytes += one.bytes
        texts += one.texts
    cpu, seconds = _cpu(stack) - used, time.monotonic() - began
    after = _figures(stack)
    reading = after["reading_seconds"] - before["reading_seconds"]
    composing = after["composing_seconds"] - before["composing_seconds"]
    comparing = after["comparing_seconds"] - before["comparing_seconds"]
    sending = cpu - reading - comparing - composing - at_rest * seconds
    report.add(f"{name}: a tick, frames", seen.frames / TICKS, "")
    report.add(f"{name}: a tick, a frame", seen.bytes / seen.frames / 1000, "kB")
    report.add(f"{name}: a tick, until the last has it", took / TICKS, "s")
    report.add(f"{name}: a tick, ws CPU", cpu / TICKS, "s")
    report.add(f"{name}: a tick, of it reading", reading / TICKS, "s")
    report.add(f"{name}: a tick, of it comparing", comparing / TICKS, "s")
    report.add(f"{name}: a tick, of it composing", composing / TICKS, "s")
    report.add(f"{name}: a tick, of it sending", sending / TICKS, "s")
    report.add(f"{name}: frames a second of CPU, in all", seen.frames / cpu, "")
    report.add(f"{name}: frames a second of CPU, sending", seen.frames / sending, "")
    return texts


def _book(ground: Ground, pages: Watchers, report: Report, name: str) -> None:
    """In an account that nobody watches: nobody is sent anything and nothing is read."""
    client = Client(ground.stack.url, ground.desk)
    before = _figures(ground.stack)
    pages.look(mark=True)
    client.book(ground.unwatched, "KO", "buy", 1, 60)
    after = _figures(ground.stack)
    seen = pages.look()
    report.add(f"{name}: booked elsewhere, frames", seen.frames + seen.snapshots, "")
    report.add(f"{name}: booked elsewhere, rows read", after["rows_read"] - before["rows_read"], "")
    times = []
    for _ in range(BOOKINGS):
        pages.look(mark=True)
        began = time.time()
        client.book(ground.codes[0], ground.held(0)[0], "buy", 1, 60)
        times.append(1000 * (pages.wait_until_quiet(PATIENCE).last - began))
    report.add(
        f"{name}: booked, POST to the last frame, median", sorted(times)[BOOKINGS // 2], "ms"
    )


def _come_back(stack: Stack, pages: Watchers, report: Report, name: str) -> None:
    before = stack.pid("ws")
    pages.look(mark=True)
    began = time.time()
    os.kill(before, signal.SIGTERM)
    seen = pages.wait(lambda seen: seen.told == pages.count, PATIENCE)
    assert seen.told == pages.count, f"{seen.told} of {pages.count} came back: {seen.closed}"
    assert stack.pid("ws") != before
    report.add(f"{name}: ws restarted, until all have a snapshot again", seen.last - began, "s")
    report.add(f"{name}: ws memory after that", _memory(stack), "MB")


# --- what is measured by --------------------------------------------------------------------------


def _restart(stack: Stack) -> None:
    """So that memory is that of a new process."""
    before = stack.pid("ws")
    os.kill(before, signal.SIGTERM)
    eventually(lambda: _assert(stack.pid("ws") != before))
    with stack.live("ops", []):  # it answers, and has read what every first one makes it read
        pass
    time.sleep(FIGURES_SECONDS)


def _assert(holds: bool) -> None:
    assert holds


def _cpu(stack: Stack) -> float:
    return cpu_seconds({"ws": stack.pid("ws")})["ws"]


def _memory(stack: Stack) -> float:
    return psutil.Process(stack.pid("ws")).memory_info().rss / 1024**2


def _figures(stack: Stack) -> dict[str, Any]:
    """What the ws process has counted up to now."""
    time.sleep(FIGURES_SECONDS)
    with redis.Redis.from_url(stack.settings()["REDIS_URL"]) as server:
        # There are none while nobody is connected.
        keys = list(server.scan_iter(KEY.format(f"*:{stack.pid('ws')}")))
        written = json.loads(server.get(keys[0]) or "{}") if keys else {}
    return asdict(Figures()) | written
