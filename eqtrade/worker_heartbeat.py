"""The heartbeat of workers and beat: a file that they write while they do their job, and that
deploy/health.py reads.

A worker that answers a ping may still consume nothing: a queue was cancelled, its pool hangs, its
loop does not turn. So its own loop writes, every few seconds, what it consumes from, how much waits
there, and for how long it has finished and begun nothing. Only where HEARTBEAT_FILE names a file.
"""

import json
import logging
import os
import time
from pathlib import Path
from typing import Any

import redis
from celery import Celery, bootsteps
from celery.signals import after_task_publish, beat_init
from celery.worker import state as worker_state
from django.conf import settings

from kernel.redis_client import redis_client

logger = logging.getLogger(__name__)

FIRST_SECONDS = 1.0
EVERY_SECONDS = 5.0
REDIS_TIMEOUT_SECONDS = 0.5


def install(app: Celery) -> None:
    """Have this application's worker or beat write its heartbeat, if HEARTBEAT_FILE says where."""
    if "HEARTBEAT_FILE" not in os.environ:
        return
    app.steps["consumer"].add(WorkerHeartbeat)
    beat_init.connect(_beat_writes)


class WorkerHeartbeat(bootsteps.StartStopStep):
    """Runs in the worker's main process, on the timer of its event loop, while it has a broker."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        # As it was started: a queue that is cancelled later is missed.
        self._queues = sorted(consumer.app.amqp.queues.consume_from)
        self._timer: Any = None
        self._redis: redis.Redis | None = None
        self._done: tuple[int, frozenset[str]] = (-1, frozenset())
        self._moved_at = time.monotonic()

    def start(self, consumer: Any) -> None:
        self._moved_at = time.monotonic()
        # Its loop takes from the queues when it begins to turn, after this.
        consumer.timer.call_after(FIRST_SECONDS, self._write, (consumer,))
        self._timer = consumer.timer.call_repeatedly(EVERY_SECONDS, self._write, (consumer,))

    def stop(self, consumer: Any) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _write(self, consumer: Any) -> None:
        tasks = consumer.task_consumer
        active = frozenset(request.id for request in worker_state.active_requests)
        done = (sum(worker_state.total_count.values()), active)
        waiting = self._waiting()
        if done != self._done or not waiting:
            self._done, self._moved_at = done, time.monotonic()
        write_heartbeat(
            queues=self._queues,
            consuming=[name for name in self._queues if tasks.consuming_from(name)],
            waiting=waiting,
            active=len(active),
            processes=consumer.controller.concurrency,
            idle_seconds=round(time.monotonic() - self._moved_at, 1),
        )

    def _waiting(self) -> int:
        """Messages in its queues; none where they can't be counted here (another broker)."""
        if not settings.CELERY_BROKER_URL.startswith(("redis", "rediss")):
            return 0
        if self._redis is None:
            self._redis = redis_client(REDIS_TIMEOUT_SECONDS)
        try:
            return sum(int(self._redis.llen(name)) for name in self._queues)
        except redis.RedisError as error:
            logger.warning("waiting messages not counted: %s", error)
            return 0


def _beat_writes(**_: Any) -> None:
    after_task_publish.connect(_sent, weak=False)


def _sent(**_: Any) -> None:
    write_heartbeat()


def stands_by() -> None:
    """A beat that another one keeps from sending has asked for its turn."""
    if "HEARTBEAT_FILE" in os.environ:
        write_heartbeat(stands_by=True)


def write_heartbeat(**what: Any) -> None:
    """Replace the file as a whole: its reader never meets half of it. Never raises."""
    file = Path(os.environ["HEARTBEAT_FILE"])
    unfinished = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        unfinished.write_text(json.dumps({"at": time.time(), **what}))
        unfinished.replace(file)
    except OSError as error:
        logger.warning("heartbeat not written: %s", error)
