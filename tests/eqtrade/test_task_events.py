"""A worker's events of tasks: all of them come, gathered into few messages."""

import base64
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from celery import Celery

from eqtrade import task_events
from eqtrade.redis_urls import broker_url
from eqtrade.up.options import PROJECT
from eqtrade.up.valkey import ValkeyServer

TASKS = 30
PATIENCE_SECONDS = 60.0


@contextmanager
def worker(url: str) -> Iterator[None]:
    """A worker of the queue `default`, told to end at the end."""
    command = ["-m", "celery", "-A", "eqtrade", "worker", "-Q", "default", "-n", "seen@here"]
    process = subprocess.Popen(
        [sys.executable, *command, "-c", "1", "--without-gossip", "--without-mingle"],
        cwd=PROJECT,
        env={**os.environ, "REDIS_URL": url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def test_every_event_comes_and_never_more_messages_than_two_a_second() -> None:
    kinds: Counter[str] = Counter()
    sent: list[float] = []
    messages = 0
    with (
        ValkeyServer.temporary() as valkey,
        redis.Redis.from_url(valkey.url()) as client,
        client.pubsub() as listener,
    ):
        listener.psubscribe("/*celeryev/task*")
        listener.get_message(timeout=5)
        with worker(valkey.url()), Celery(broker=broker_url(valkey.url())) as sender:
            for _ in range(TASKS):
                sender.send_task("celery.accumulate", queue="default", ignore_result=True)
            deadline = time.monotonic() + PATIENCE_SECONDS
            while kinds["task-succeeded"] < TASKS and time.monotonic() < deadline:
                message: Any = listener.get_message(timeout=1)
                if message is None:
                    continue
                messages += 1
                for event in events(message["data"]):
                    kinds[event["type"]] += 1
                    sent.append(event["timestamp"])
    assert kinds == {"task-received": TASKS, "task-started": TASKS, "task-succeeded": TASKS}
    # By the worker's own clock, so that nothing depends on when they arrive.
    took = max(sent) - min(sent)
    assert messages <= took / task_events.EVERY_SECONDS + 2


def events(data: bytes) -> list[dict[str, Any]]:
    """Those of one message, of either kind."""
    body = json.loads(base64.b64decode(json.loads(data)["body"]))
    return body if isinstance(body, list) else [body]
