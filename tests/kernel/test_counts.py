"""Counts are of all processes together, go on after a restart, and are right after an outage."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from eqtrade.up.options import PROJECT
from eqtrade.up.valkey import ValkeyServer
from kernel import counts

PROCESS = """
import os, sys
from django.conf import settings
settings.configure(REDIS_URL=sys.argv[1])
from kernel import counts
seen = counts.counter("seen", "…", kind=("a", "b"))
took = counts.durations("took", "…", 0.1, 1)
for _ in range(int(sys.argv[2])):
    seen.add(kind="a")
    took.add(0.25)
child = os.fork()
if child == 0:
    # As a worker's process: what its parent has gathered is not its own.
    seen.add(7, kind="b")
    counts.hand_on()
    os._exit(0)
os.waitpid(child, 0)
seen.add(kind="a")
"""


@pytest.fixture
def valkey(settings: Any) -> Iterator[ValkeyServer]:
    with ValkeyServer.temporary() as server:
        settings.REDIS_URL = server.url()
        yield server


def test_counts_of_processes_at_once_and_one_after_the_other_add_up(valkey: ValkeyServer) -> None:
    def begin(times: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", PROCESS, valkey.url(), str(times)]
        return subprocess.Popen(command, cwd=PROJECT)

    for process in (begin(100), begin(30)):
        assert process.wait(60) == 0
    assert begin(1).wait(60) == 0
    assert counts.read_counts() == {
        "seen|a": 134,
        "seen|b": 21,
        "took|1": 131,
        "took|sum": 131 * 0.25,
    }


def test_threads_lose_nothing(valkey: ValkeyServer) -> None:
    tally = counts._Tally()

    def work() -> None:
        for n in range(2_000):
            tally.add([("each", 1)])
            if n % 500 == 0:
                tally.send()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tally.send()
    assert counts.read_counts() == {"each": 8_000}


class Deaf:
    """A client whose first answer is lost, after the server has done what it was told."""

    def __init__(self, client: "redis.Redis") -> None:
        self.client, self.is_deaf = client, True

    def eval(self, *arguments: Any) -> Any:
        answer = self.client.eval(*arguments)
        if self.is_deaf:
            self.is_deaf = False
            raise redis.TimeoutError
        return answer


def test_a_sending_whose_answer_is_lost_counts_once(valkey: ValkeyServer) -> None:
    tally = counts._Tally()
    with redis.Redis.from_url(valkey.url()) as client:
        tally._redis = Deaf(client)  # type: ignore[assignment]
        tally.add([("each", 5)])
        with pytest.raises(redis.TimeoutError):
            tally.send()
        tally.add([("each", 1)])
        tally.send()
    assert counts.read_counts() == {"each": 6}


def test_counts_wait_until_redis_is_back(valkey: ValkeyServer, settings: Any) -> None:
    tally = counts._Tally()
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock?db=0"
    tally.add([("each", 1)])
    for _ in range(2):
        with pytest.raises(redis.RedisError):
            tally.send()
    tally.add([("each", 1)])
    tally._redis = None
    settings.REDIS_URL = valkey.url()
    tally.send()
    assert counts.read_counts() == {"each": 2}
