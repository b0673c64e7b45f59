"""Wake the ledger's readers after a commit, without ever failing or delaying the booking.

A nudge carries no data: a lost, late or doubled one harms nothing, the sweep finds what it left.
So the commit hook only drops the (consumer, shard) pairs into a small queue, and one thread of
the process sends them, on connections of its own: 100 ms timeouts, no retries by the libraries;
after a failure a pause, then all that has gathered. (The libraries' defaults would hold a request
for 3 s with the broker killed and for over 20 s with it stalled.)

Nudges are coalesced: `SET key NX PX 1000` per consumer and shard; the reader deletes the key
before it locks its checkpoint, so a booking that commits later sends a nudge of its own.
"""

import logging
import os
import queue
import threading
import time
from collections.abc import Iterable
from typing import Any

import redis
from celery import current_app
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 0.1
COALESCE_MS = 1000
PAUSE_SECONDS = 1.0
EXPIRES_SECONDS = 60
_QUEUE_SIZE = 1000

# Imports are woken the same way; the "shard" is then the import's id.
IMPORTS = "import"
IMPORT_TASK, IMPORT_QUEUE = "trades.tasks.import_run", "imports"
# Messages for imports that wait their turn do not pile up: the sweep sends others.
IMPORT_EXPIRES_SECONDS = 10

Nudge = tuple[str, int | str]


def coalescing_key(consumer: str, shard: int | str) -> str:
    return f"eqtrade:nudge:{consumer}:{shard}"


class _Sender:
    """One a process. Owns the queue, the thread and its two connections."""

    def __init__(self) -> None:
        self._pid = 0
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[Nudge] = queue.SimpleQueue()
        self._redis: redis.Redis | None = None
        self._producer: Any = None
        self._is_broken = False

    def put(self, nudges: Iterable[Nudge]) -> None:
        if self._pid != os.getpid():
            self._start()
        if self._queue.qsize() < _QUEUE_SIZE:
            for nudge in nudges:
                self._queue.put(nudge)

    def _start(self) -> None:
        with self._lock:
            if self._pid == os.getpid():
                return
            # A forked child inherits neither the thread nor a right to its sockets.
            self._queue = queue.SimpleQueue()
            self._redis = self._producer = None
            threading.Thread(target=self._run, name="ledger-nudges", daemon=True).start()
            self._pid = os.getpid()

    def _run(self) -> None:
        while True:
            nudges = {self._queue.get()}
            while not self._queue.empty() and len(nudges) < _QUEUE_SIZE:
                nudges.add(self._queue.get())
            try:
                self._send(sorted(nudges, key=str))
                self._is_broken = False
            except Exception as error:  # noqa: BLE001 - whatever the broker's library raises
                if not self._is_broken:
                    # Once an outage, not once a second.
                    logger.warning("nudges wait until the broker is back: %r", error)
                self._is_broken = True
                self._close()
                time.sleep(PAUSE_SECONDS)
                # They may have been coalesced away by the keys of the failed attempt; the keys
                # live no longer than the pause.
                for nudge in nudges:
                    self._queue.put(nudge)

    def _send(self, nudges: list[Nudge]) -> None:
        if self._redis is None:
            self._redis = redis.Redis.from_url(
                settings.REDIS_URL,
                socket_timeout=TIMEOUT_SECONDS,
                socket_connect_timeout=TIMEOUT_SECONDS,
                retry=Retry(NoBackoff(), 0),
            )
        with self._redis.pipeline(transaction=False) as pipe:
            for consumer, shard in nudges:
                pipe.set(coalescing_key(consumer, shard), 1, nx=True, px=COALESCE_MS)
            fresh = pipe.execute()
        for (consumer, shard), is_first in zip(nudges, fresh, strict=True):
            if is_first:
                self._send_task(consumer, shard)

    def _send_task(self, consumer: str, shard: int | str) -> None:
        if self._producer is None:
            options = {
                **settings.CELERY_BROKER_TRANSPORT_OPTIONS,
                "socket_timeout": TIMEOUT_SECONDS,
                "socket_connect_timeout": TIMEOUT_SECONDS,
                "max_retries": 0,
            }
            channel = current_app.connection_for_write(transport_options=options)
            self._producer = current_app.amqp.Producer(channel, auto_declare=False)
        if consumer == IMPORTS:
            task, queue_name, expires = IMPORT_TASK, IMPORT_QUEUE, IMPORT_EXPIRES_SECONDS
        else:
            reader = settings.LEDGER_CONSUMERS[consumer]
            task, queue_name, expires = reader["task"], reader["queue"], EXPIRES_SECONDS
        current_app.send_task(
            task,
            args=[shard],
            queue=queue_name,
            producer=self._producer,
            retry=False,
            expires=expires,
        )

    def _close(self) -> None:
        if self._redis is not None:
            self._redis.close()
        if self._producer is not None:
            try:
                self._producer.connection.close()
            except Exception:  # noqa: BLE001 - it is broken, that is why it is closed
                logger.debug("closing a broken broker connection failed")
        self._redis = self._producer = None


_sender = _Sender()


def nudge_all(shards: Iterable[int]) -> None:
    """Wake every consumer for these shards. Returns at once and never raises."""
    _sender.put((c, s) for s in sorted(set(shards)) for c in settings.LEDGER_CONSUMERS)


def nudge(consumer: str, shard: int) -> None:
    """Wake one consumer for one shard. Returns at once and never raises."""
    _sender.put([(consumer, shard)])


def nudge_import(import_id: str) -> None:
    """Wake a worker for one import. Returns at once and never raises."""
    _sender.put([(IMPORTS, import_id)])


_clearing: redis.Redis | None = None


def nudge_taken(consumer: str, shard: int | str) -> None:
    """The reader is about to lock its checkpoint: bookings from now on nudge anew."""
    global _clearing
    try:
        if _clearing is None:
            _clearing = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=TIMEOUT_SECONDS)
        _clearing.delete(coalescing_key(consumer, shard))
    except redis.RedisError as error:
        # The key expires by itself within a second.
        logger.warning("nudge key not cleared: %r", error)
