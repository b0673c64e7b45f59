"""Wake the ledger's readers after a commit, without ever failing or delaying the booking.

A nudge carries no data: a lost, late or doubled one harms nothing, the sweep finds what it left.
So the commit hook only drops the (consumer, shard) pairs into a small queue, and one thread of
the process sends them, on connections of its own: 100 ms timeouts, no retries by the libraries;
after a failure a pause, then all that has gathered. (The libraries' defaults would hold a request
for 3 s with the broker killed and for over 20 s with it stalled.)

Consumers that share a queue share a task, and what is nudged is that task: its shards go to a
mailbox in Redis (`trades.ledger.mailbox`), and a message to the queue only when nobody is called
yet. The more bookings come, the longer the thread gathers before it sends.
"""

import os
import queue
import threading
import time
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import redis
import structlog
from celery import current_app
from django.conf import settings
from structlog.contextvars import bound_contextvars

from kernel import traces
from kernel.following import (
    Followed,
    context_of,
    followed,
    ids_of,
    trace_ids_of,
    trace_of,
)
from trades.ledger import mailbox
from trades.ledger.registry import consumers, reader_of

logger = structlog.get_logger(__name__)

PAUSE_SECONDS = 1.0
EXPIRES_SECONDS = 60
# After a sending the next one waits so long for each booking that was in it, at most so long: one
# booking now and then is sent at once.
GATHER_SECONDS, MOST_GATHER_SECONDS = 0.005, 0.05
_QUEUE_SIZE = 1000

# Imports are woken the same way; the "shard" is then the import's id. One message an import is sent
# in so long a time, until its worker begins.
IMPORTS = "import"
IMPORT_TASK, IMPORT_QUEUE = "trades.tasks.import_run", "imports"
# Messages for imports that wait their turn do not pile up: the sweep sends others.
IMPORT_EXPIRES_SECONDS = 10
IMPORT_COALESCE_MS = 1000

Nudge = tuple[str, int | str]
_Put = tuple[Collection[Nudge], Collection[Followed]]

MOST_FOLLOWED = 50
"""Requests, and trades, that one line or notice names."""


def import_key(import_id: str) -> str:
    return f"eqtrade:nudge:{IMPORTS}:{import_id}"


class Call(NamedTuple):
    """A message: whom to call, and for what."""

    task: str
    queue: str
    arguments: list[Any]
    expires: int


def calls_of(nudges: Iterable[Nudge]) -> list[Call]:
    """The calls for these nudges: one for all the shards of a task, one for each import."""
    shards: dict[tuple[str, str], set[int]] = {}
    calls: list[Call] = []
    for consumer, what in nudges:
        if consumer == IMPORTS:
            calls.append(Call(IMPORT_TASK, IMPORT_QUEUE, [what], IMPORT_EXPIRES_SECONDS))
        else:
            reader = reader_of(consumer)
            shards.setdefault((reader.task, reader.queue), set()).add(int(what))
    calls += [Call(*whom, [sorted(shards[whom])], EXPIRES_SECONDS) for whom in sorted(shards)]
    return calls


class _Sender:
    """One a process. Owns the queue, the thread and its two connections."""

    def __init__(self) -> None:
        self._pid = 0
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[_Put] = queue.SimpleQueue()
        self._redis: redis.Redis | None = None
        self._producer: Any = None
        self._is_broken = False

    def put(self, nudges: Collection[Nudge], whose: Collection[Followed] = ()) -> None:
        if self._pid != os.getpid():
            self._start()
        if self._queue.qsize() < _QUEUE_SIZE:
            self._queue.put((nudges, whose))

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
            gathered = [self._queue.get()]
            while not self._queue.empty() and len(gathered) < _QUEUE_SIZE:
                gathered.append(self._queue.get())
            nudges = set().union(*(nudges for nudges, _ in gathered))
            whose = [one for _, some in gathered for one in some]
            try:
                with bound_contextvars(**context_of(whose)), traces.going_on(trace_of(whose)):
                    self._send(nudges, whose)
                    _say(whose)
                self._is_broken = False
                time.sleep(min(GATHER_SECONDS * len(gathered), MOST_GATHER_SECONDS))
            except Exception as error:  # noqa: BLE001 - whatever the broker's library raises
                if not self._is_broken:
                    # Once an outage, not once a second.
                    logger.warning("nudges wait until the broker is back", error=repr(error))
                self._is_broken = True
                self._close()
                time.sleep(PAUSE_SECONDS)
                # They may have been coalesced away by the keys of the failed attempt; the keys
                # live no longer than the pause.
                self._queue.put((nudges, whose[:MOST_FOLLOWED]))

    def _send(self, nudges: Collection[Nudge], whose: Collection[Followed] = ()) -> None:
        """Note all of them in one round trip; a message for each task that nobody is at."""
        if self._redis is None:
            self._redis = mailbox.connect()
        calls = calls_of(nudges)
        with self._redis.pipeline(transaction=False) as pipe:
            for call in calls:
                if call.queue == IMPORT_QUEUE:
                    pipe.set(import_key(call.arguments[0]), 1, nx=True, px=IMPORT_COALESCE_MS)
                else:
                    mailbox.put(pipe, call.task, call.arguments[0], whose)
            is_first = pipe.execute()
        for call, first in zip(calls, is_first, strict=True):
            if first:
                self._send_task(call)

    def _send_task(self, call: Call) -> None:
        if self._producer is None:
            options = {
                **settings.CELERY_BROKER_TRANSPORT_OPTIONS,
                "socket_timeout": mailbox.TIMEOUT_SECONDS,
                "socket_connect_timeout": mailbox.TIMEOUT_SECONDS,
                "max_retries": 0,
            }
            channel = current_app.connection_for_write(transport_options=options)
            self._producer = current_app.amqp.Producer(channel, auto_declare=False)
        current_app.send_task(
            call.task,
            args=call.arguments,
            queue=call.queue,
            producer=self._producer,
            retry=False,
            expires=call.expires,
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


def _say(whose: Collection[Followed]) -> None:
    """One line a sending, by the thread that sends: a booking writes none."""
    if trades := [trade for one in whose for trade in one.trades]:
        logger.info(
            "booked",
            requests=ids_of(whose),
            trades=trades[:MOST_FOLLOWED],
            **trace_ids_of(whose),
        )


_sender = _Sender()


def nudge_all(shards: Iterable[int], whose: Followed | None = None) -> None:
    """Wake every consumer for these shards, in which this request left something. Returns at once
    and never raises."""
    nudges = [(c, s) for s in sorted(set(shards)) for c in consumers()]
    _sender.put(nudges, [] if whose is None else [whose])


def nudge_each(nudges: Iterable[Nudge]) -> None:
    """Wake these consumers for these shards. Returns at once and never raises."""
    _sender.put(list(nudges))


def nudge(consumer: str, shard: int) -> None:
    """Wake one consumer for one shard. Returns at once and never raises."""
    nudge_each([(consumer, shard)])


def nudge_import(import_id: str) -> None:
    """Wake a worker for one import. Returns at once and never raises."""
    whose = followed()
    _sender.put([(IMPORTS, import_id)], [] if whose is None else [whose])


_clearing: redis.Redis | None = None


def import_taken(import_id: str) -> None:
    """A worker is about to begin with it: from now on it is woken anew."""
    global _clearing
    try:
        if _clearing is None:
            _clearing = mailbox.connect()
        _clearing.delete(import_key(import_id))
    except redis.RedisError as error:
        # The key expires by itself within a second.
        logger.warning("nudge key not cleared", error=repr(error))
