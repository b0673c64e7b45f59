"""Load by `benchmarks.rig.sender`: what it is told, and what comes back."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from eqtrade.up.options import PROJECT

LIMIT = 200_000
"""Requests of one run, whatever time is left."""


class LoadFailed(AssertionError):
    """The load generator ended, or an answer was not the one expected; the message has it."""


@dataclass(frozen=True)
class Loaded:
    """What came of one run. `answered` counts answers as expected, by request."""

    seconds: float
    latencies: list[float]
    """Milliseconds, in the order of the answers."""
    answered: list[int]

    @property
    def count(self) -> int:
        return len(self.latencies)


def request_bytes(
    method: str, path: str, headers: Mapping[str, str], body: Any | None = None
) -> bytes:
    """A request of HTTP/1.1 as it goes over the wire, the body as JSON."""
    content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
    every = {"Host": "127.0.0.1", "Accept": "application/json", **headers}
    if body is not None:
        every |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in every.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + content


class Load:
    """A started load generator, connected and waiting."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.pid = process.pid

    def run(self, seconds: float) -> Loaded:
        """Send for so many seconds. Raises LoadFailed for any answer but the one expected: what
        became of a request without one is not known, and nothing could be compared."""
        found = json.loads(self._asked(json.dumps(seconds)))
        if found["failures"]:
            raise LoadFailed("\n\n".join(found["failures"]))
        return Loaded(found["seconds"], found["latencies"], found["answered"])

    def _asked(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise LoadFailed("the load generator ended; what it said is above")
        return answer


@contextmanager
def load(
    port: int, requests: Sequence[bytes], *, connections: int, status: int, seed: int = 1
) -> Iterator[Load]:
    """A load generator for requests in a shuffled order, the same for the same seed."""
    order = list(range(len(requests)))
    random.Random(seed).shuffle(order)
    plan = {
        "host": "127.0.0.1",
        "port": port,
        "connections": connections,
        "status": status,
        "limit": LIMIT,
        "order": order,
        "requests": [request.decode("latin-1") for request in requests],
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.rig.sender"],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        made = Load(process)
        made._asked(json.dumps(plan))
        yield made
    finally:
        process.terminate()
        process.wait(10)
