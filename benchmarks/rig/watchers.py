"""Many websockets held open by processes of their own: what they are told, what they counted."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from docs.examples.live_blotter import PATH
from eqtrade.up.options import PROJECT

PROCESSES = 2
LOOK_SECONDS = 0.1
QUIET_SECONDS = 1.0
"""No frame for so long: there are no more."""


@dataclass(frozen=True)
class Who:
    """One watcher: by whose token it comes, and what it sends first."""

    token: str = ""
    subscribe: str = ""


@dataclass
class Seen:
    """What all of them counted since the last mark; `last` is when the last frame came."""

    frames: int = 0
    snapshots: int = 0
    bytes: int = 0
    last: float = 0.0
    told: int = 0
    open: int = 0
    texts: list[str] = field(default_factory=list)
    closed: Counter[str] = field(default_factory=Counter)


class Watchers:
    def __init__(self, processes: "list[subprocess.Popen[str]]", count: int) -> None:
        self._processes = processes
        self.count = count

    def begin(self) -> None:
        """Open all of them."""
        self._ask({"begin": True, "mark": True})

    def look(self, *, texts: bool = False, mark: bool = False) -> Seen:
        """With `mark`, what comes later is counted anew."""
        seen = Seen()
        for found in self._ask({"texts": texts, "mark": mark}):
            for name in ("frames", "snapshots", "bytes", "told", "open"):
                setattr(seen, name, getattr(seen, name) + found[name])
            seen.last = max(seen.last, found["last"])
            seen.texts += found["texts"]
            seen.closed.update(found["closed"])
        return seen

    def wait(self, holds: Callable[[Seen], bool], seconds: float) -> Seen:
        """Until this holds, or so long; what was seen then."""
        deadline = time.monotonic() + seconds
        while True:
            seen = self.look()
            if holds(seen) or time.monotonic() > deadline:
                return seen
            time.sleep(LOOK_SECONDS)

    def wait_until_quiet(self, seconds: float, quiet: float = QUIET_SECONDS) -> Seen:
        """Until something came and nothing came after it; with what the first one was sent."""
        self.wait(lambda seen: bool(seen.last) and time.time() - seen.last > quiet, seconds)
        return self.look(texts=True)

    def _ask(self, question: dict[str, Any]) -> list[dict[str, Any]]:
        for process in self._processes:
            _write(process, question)
        return [_read(process) for process in self._processes]


@contextmanager
def watchers(port: int, who: Sequence[Who], path: str = PATH) -> Iterator[Watchers]:
    """Processes that will open a websocket for each of these; closed at the end."""
    processes = []
    try:
        for part in range(PROCESSES):
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.rig.watcher"],
                cwd=PROJECT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            processes.append(process)
            mine = [{"token": w.token, "subscribe": w.subscribe} for w in who[part::PROCESSES]]
            _write(process, {"port": port, "path": path, "watchers": mine, "keep": part == 0})
        for process in processes:
            assert _read(process) == "ready"
        yield Watchers(processes, len(who))
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(20)


def _write(process: "subprocess.Popen[str]", what: Any) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(what) + "\n")
    process.stdin.flush()


def _read(process: "subprocess.Popen[str]") -> Any:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "a process of watchers ended; what it said is above"
    return json.loads(line)
