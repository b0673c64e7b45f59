"""What is counted as it happens, for metrics: of all processes together, whichever of them answers.

A count is added to a number in the process's memory and costs a microsecond. A thread adds what has
gathered to one hash in Redis, every two seconds at most. So a count is right with any number of
processes, and goes on where it was when one of them, or all, start anew. A process that is killed
takes at most its last two seconds with it; one that ends hands on what it has.

Each sending has a number, by which a repeated one is known: a sending whose answer was lost counts
once. Without Redis counts gather here until it is back. What Redis itself loses begins at zero.
"""

import atexit
import itertools
import logging
import math
import os
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

import redis

from kernel.redis_client import redis_client

logger = logging.getLogger(__name__)

KEY, SENT_KEY = "eqtrade:counts", "eqtrade:counts:sent:{}"
SEND_SECONDS = 2.0
TIMEOUT_SECONDS = 0.5
# Longer than any outage in which a sending whose answer was lost is tried again.
SENT_KEPT_SECONDS = 86_400

# KEYS: the hash, the process's last sending. ARGV: this sending, how long that is kept, and then
# field and amount by turns. 0 when it was counted before.
_ADD = """
if tonumber(redis.call('GET', KEYS[2]) or 0) >= tonumber(ARGV[1]) then return 0 end
for n = 3, #ARGV, 2 do redis.call('HINCRBYFLOAT', KEYS[1], ARGV[n], ARGV[n + 1]) end
redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2])
return 1
"""


class _Tally:
    """Of one process: what has gathered, and the thread that sends it."""

    def __init__(self) -> None:
        self._lock, self._sending = threading.Lock(), threading.Lock()
        self._some = threading.Event()
        self._gathered: dict[str, float] = {}
        self._unsure: tuple[int, dict[str, float]] | None = None
        self._numbers = itertools.count(1)
        self._process = uuid4().hex
        self._redis: redis.Redis | None = None
        self._thread: threading.Thread | None = None

    def add(self, amounts: Sequence[tuple[str, float]]) -> None:
        """Never raises, never waits for anything but memory."""
        with self._lock:
            for name, amount in amounts:
                self._gathered[name] = self._gathered.get(name, 0) + amount
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="counts", daemon=True)
                self._thread.start()
        self._some.set()

    def send(self) -> None:
        """Hand on what has gathered. Raises RedisError; what was not taken stays."""
        with self._sending:
            while True:
                if self._unsure is None:
                    with self._lock:
                        self._some.clear()
                        gathered, self._gathered = self._gathered, {}
                    if not gathered:
                        return
                    self._unsure = next(self._numbers), gathered
                number, amounts = self._unsure
                if self._redis is None:
                    self._redis = _connect()
                each = [part for name, amount in amounts.items() for part in (name, repr(amount))]
                sent = SENT_KEY.format(self._process)
                self._redis.eval(_ADD, 2, KEY, sent, number, SENT_KEPT_SECONDS, *each)
                self._unsure = None

    def _run(self) -> None:
        is_away = False
        while True:
            self._some.wait()
            time.sleep(SEND_SECONDS)
            try:
                self.send()
                is_away = False
            except redis.RedisError as error:
                if not is_away:
                    # Once an outage.
                    logger.warning("counts wait until Redis is back: %r", error)
                is_away = True
                self._some.set()


_tally = _Tally()


def _begin_anew() -> None:
    """A forked child has no thread, and what its parent has gathered the parent sends."""
    global _tally
    _tally = _Tally()


os.register_at_fork(after_in_child=_begin_anew)


def hand_on() -> None:
    """Send what has gathered, before the process ends. Never raises; without Redis it is lost."""
    with suppress(redis.RedisError):
        _tally.send()


atexit.register(hand_on)


def read_counts() -> dict[str, float]:
    """All counts of all processes, by field. Raises RedisError."""
    with _connect() as client:
        found = client.hgetall(KEY)
    return {name.decode(): float(amount) for name, amount in found.items()}


def _connect() -> "redis.Redis":
    return redis_client(TIMEOUT_SECONDS, again=False)


# --- what is counted -----------------------------------------------------------------------------


Values = Sequence[str] | Callable[[], Sequence[str]]
"""All the values of a label; or what says them, where apps above name them."""


@dataclass(frozen=True)
class Counted:
    """Something that is counted, by labels of which all the values are known beforehand."""

    name: str
    text: str
    labels: Mapping[str, Values]

    def field(self, values: Mapping[str, str]) -> str:
        return "|".join((self.name, *(values[label] for label in self.labels)))

    def rows(self) -> Iterator[dict[str, str]]:
        """Every combination of labels: an alert needs a series that is there before the first."""
        known = [each() if callable(each) else each for each in self.labels.values()]
        for values in itertools.product(*known):
            yield dict(zip(self.labels, values, strict=True))


@dataclass(frozen=True)
class Counter(Counted):
    def add(self, amount: float = 1, **values: str) -> None:
        if amount:
            _tally.add([(self.field(values), amount)])


@dataclass(frozen=True)
class Durations(Counted):
    """How long something took, in seconds. It is counted under the lowest of `bounds` that it does
    not exceed, the last of which is infinite."""

    bounds: tuple[float, ...]

    def add(self, seconds: float, **values: str) -> None:
        field, bound = self.field(values), self.bounds[bisect_left(self.bounds, seconds)]
        _tally.add([(f"{field}|{bound}", 1), (f"{field}|sum", seconds)])


_all: dict[str, Counted] = {}


def counter(name: str, text: str, **labels: Values) -> Counter:
    """Declare a counter, once; `labels` have all their values."""
    found = _all[name] = Counter(name, text, labels)
    return found


def durations(name: str, text: str, *bounds: float, **labels: Values) -> Durations:
    """Declare what is measured, once, with bounds that ascend."""
    found = _all[name] = Durations(name, text, labels, (*bounds, math.inf))
    return found


def declared() -> list[Counted]:
    """Everything that is counted, in the order of names."""
    return [_all[name] for name in sorted(_all)]
