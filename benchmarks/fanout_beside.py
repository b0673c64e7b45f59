"""What fanout stands beside: servers of their own, each with as many watchers and the same bytes or
rows."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.fanout_ground import EACH, POSITIONS, Ground
from benchmarks.report import Report
from benchmarks.rig.cpu import cpu_seconds
from benchmarks.rig.stacks import Stack
from benchmarks.rig.watchers import Who, watchers
from eqtrade.up.options import PROJECT
from tests.stack.eventually import eventually
from tests.stack.running import NOT_INHERITED, free_port

PATIENCE = 120.0
FRAMES = 30_000


def bare(ground: Ground, report: Report, name: str, count: int, texts: list[str]) -> None:
    """The bytes that one watcher was sent with the ticks, to all, often enough to be measured."""
    port = free_port()
    texts = texts * max(1, FRAMES // (count * len(texts)))
    with (
        _process(ground.stack, "bare_broadcast", str(port)) as server,
        watchers(port, [Who()] * count, "/") as pages,
    ):
        assert server.said() == "ready"
        pages.begin()
        assert pages.wait(lambda seen: seen.open == count, PATIENCE).open == count
        pages.look(mark=True)
        used = server.cpu()
        server.tell(texts)
        assert server.said() == "sent"
        seen = pages.wait(lambda seen: seen.frames == count * len(texts), PATIENCE)
        cpu = server.cpu() - used
    assert seen.frames == count * len(texts)
    beside = f"{name}: bare broadcast, frames a second of CPU"
    report.add(f"{name}: bare broadcast, a frame", seen.bytes / seen.frames / 1000, "kB")
    report.add(beside, seen.frames / cpu, "")
    for what in ("in all", "sending"):
        figure = f"{name}: frames a second of CPU, {what}"
        (ours,) = (each.value for each in report.figures if each.figure == figure)
        report.add(f"{figure}, ours", ours, "", beside=beside)


def usual(ground: Ground, report: Report, name: str, count: int) -> None:
    """One tick: a message for each position of each account that somebody watches."""
    port = free_port()
    rows, wanted = ground.rows(), count * EACH * POSITIONS
    with (
        _process(ground.stack, "usual_fanout", "serve", str(port)) as server,
        _process(ground.stack, "usual_fanout", "send") as sender,
        watchers(port, ground.who(count), "/") as pages,
    ):
        eventually(lambda: _answers(port))
        pages.begin()
        assert pages.wait(lambda seen: seen.told == count, PATIENCE).told == count
        pages.look(mark=True)
        used, began = server.cpu(), time.time()
        sender.tell(rows)
        assert sender.said() == "sent"
        seen = pages.wait(lambda seen: seen.frames == wanted, PATIENCE)
        cpu = server.cpu() - used
    assert seen.frames, "the usual design sent nothing"
    report.add(f"{name}: usual design, a tick, frames", seen.frames, "")
    report.add(f"{name}: usual design, a tick, frames that came", seen.frames / wanted, "×")
    report.add(f"{name}: usual design, a tick, until the last has it", seen.last - began, "s")
    report.add(f"{name}: usual design, a tick, server's CPU", cpu, "s")


class _Process:
    """A process of one of the designs, told and telling in lines of JSON."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def tell(self, what: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def said(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def cpu(self) -> float:
        return cpu_seconds({"it": self._process.pid})["it"]


@contextmanager
def _process(stack: Stack, module: str, *arguments: str) -> Iterator[_Process]:
    inherited = {n: v for n, v in os.environ.items() if n not in NOT_INHERITED}
    process = subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.designs.{module}", *arguments],
        cwd=PROJECT,
        env={**inherited, **stack.settings()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield _Process(process)
    finally:
        process.kill()
        process.wait(20)


def _answers(port: int) -> None:
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) == 0
