"""Beat's scheduler: of all the beats that run one sends, the others stand by.

Whoever sends holds a lock of PostgreSQL's, by the session that reads the schedule and writes down
what was sent. Such a lock ends with its session: at once when the process dies, and after
`SILENCE` when it or its machine stands still, since the server ends a session that asks nothing for
so long. A lock in Redis would need a lease and two clocks, and Redis may be lost.

1. A look asks whether the schedule has changed. The answer proves that the lock is still held.
2. Each task that is due is sent, then written down: `last_run_at` is what the next holder goes by.
   A broker that does not take a message leaves the task due, and the next look tries again.
3. A holder that dies in between has sent what is not written down. Its successor sends it again:
   every task finds by itself what is left to do, and missing the one of a night would be worse.

Times are PostgreSQL's rows and this machine's clock; all schedules are computed anew at each look,
so that a machine that slept or was set right goes on at once.
"""

import logging
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

import psycopg
from celery import beat
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django_celery_beat.models import PeriodicTask, PeriodicTasks
from django_celery_beat.schedulers import ModelEntry

from eqtrade.worker_heartbeat import stands_by
from kernel import clock
from kernel.locks import Lock, try_lock_of_session
from kernel.postgres.base import default_database

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
STANDBY_SECONDS = 0.5
"""Between two questions for the lock: so much later than the holder would a successor send."""
REREAD_SECONDS = 300.0
"""The schedule is read anew so often, whatever is said of changes."""
SILENCE = "10s"
BROKER_SECONDS = 2.0


# By the very session that holds the lock, and with nothing of the audit's around it: what a beat
# writes down is no change of a schedule.
LOOK = "SELECT last_update FROM django_celery_beat_periodictasks WHERE ident = 1"
SENT = """
    UPDATE django_celery_beat_periodictask
       SET last_run_at = %s, total_run_count = total_run_count + 1 WHERE id = %s
"""


class Scheduler(beat.Scheduler):
    """Sends while this process holds the lock; knows nothing of the schedule before it does."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._session: psycopg.Connection[Any] | None = None
        self._entries: list[ModelEntry] = []
        self._changed_at: datetime | None = None
        self._read_at = 0.0
        self._broker: Any = None
        self._is_broker_away = False
        super().__init__(*args, **kwargs)

    def setup_schedule(self) -> None:
        """Celery would read the schedule here, before the lock is held."""

    def tick(self, *_: Any, **__: Any) -> float:
        """One look; the seconds until the next."""
        try:
            session = self._session or self._take_lock()
            if session is not None:
                return self._look(session)
            stands_by()
        except (DatabaseError, InterfaceError) as error:
            self._step_down(error)
        return STANDBY_SECONDS

    def _take_lock(self) -> "psycopg.Connection[Any] | None":
        if not try_lock_of_session(Lock.BEAT):
            return None
        with connection.cursor() as cursor:
            cursor.execute(f"SET idle_session_timeout = '{SILENCE}'")
        self._session = default_database().connection
        self._read()
        logger.info("beat: sending, with %s schedules", len(self._entries))
        return self._session

    def _step_down(self, error: Exception) -> None:
        if self._session is not None:
            logger.warning("beat: no longer sending: %s", str(error).strip() or repr(error))
        self._session, self._entries = None, []
        # Whatever its state: with it goes the lock, if it is still held.
        with suppress(DatabaseError, InterfaceError):
            connection.close()

    def _look(self, session: "psycopg.Connection[Any]") -> float:
        with connection.wrap_database_errors:
            row = session.execute(LOOK).fetchone()
        changed_at = row and row[0]
        if changed_at != self._changed_at or time.monotonic() > self._read_at + REREAD_SECONDS:
            self._read()
        wait = LOOK_SECONDS
        for entry in self._entries:
            is_due, seconds = self._due(entry)
            if is_due and not self._send(entry, session):
                return LOOK_SECONDS
            wait = min(wait, seconds)
        return wait

    def _read(self) -> None:
        """All that are enabled: one whose hour passed while no beat ran is due as well."""
        self._changed_at, self._read_at = PeriodicTasks.last_change(), time.monotonic()
        related = ("interval", "crontab", "solar", "clocked")
        self._entries = []
        for task in PeriodicTask.objects.filter(enabled=True).select_related(*related):
            try:
                entry = ModelEntry(task, app=self.app)
            except ValueError as error:
                logger.error("beat: %s can't be scheduled: %s", task.name, error)
            else:
                # The next look tries again; Celery's own tries would keep this one waiting.
                entry.options["retry"] = False
                self._entries.append(entry)

    def _due(self, entry: ModelEntry) -> tuple[bool, float]:
        """Whether it is due, and the seconds until it is to be looked at again."""
        try:
            is_due, seconds = entry.is_due()
        except (DatabaseError, InterfaceError):
            raise
        except Exception:
            # One that can't be computed does not hold up the others.
            logger.exception("beat: when %s is next due can't be computed", entry.name)
            return False, LOOK_SECONDS
        return is_due, seconds

    def _send(self, entry: ModelEntry, session: "psycopg.Connection[Any]") -> bool:
        """Send it and write that down; False when the broker did not take it."""
        now = clock.now()
        with _signals_wait():
            try:
                self.apply_async(entry, producer=self._producer(), advance=False)
            except beat.SchedulingError as error:
                self._broker_away(error)
                return False
            with connection.wrap_database_errors:
                session.execute(SENT, [now, entry.model.pk])
        self._is_broker_away = False
        entry.last_run_at = entry.model.last_run_at = now
        entry.model.total_run_count += 1
        logger.debug("beat: sent %s", entry.name)
        return True

    def _producer(self) -> Any:
        """A connection of its own that gives up soon: a look must not outlast the lock."""
        if self._broker is None:
            options = {
                **settings.CELERY_BROKER_TRANSPORT_OPTIONS,
                "socket_timeout": BROKER_SECONDS,
                "socket_connect_timeout": BROKER_SECONDS,
                "max_retries": 0,
            }
            channel = self.app.connection_for_write(transport_options=options)
            self._broker = self.app.amqp.Producer(channel, auto_declare=False)
        return self._broker

    def _broker_away(self, error: Exception) -> None:
        if not self._is_broker_away:
            logger.warning("beat: the broker takes nothing, trying on: %s", error)
        self._is_broker_away = True
        with suppress(Exception):
            self._broker.connection.close()
        self._broker = None


@contextmanager
def _signals_wait() -> Iterator[None]:
    """Be told to end after the block, not in the middle of it."""
    asked = {signal.SIGTERM, signal.SIGINT}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, asked)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
