"""Reading of the past on a standby, by DATABASE_READ_URL; never of live figures.

    found = past(lambda: position_rows_as_of(…))
    found.value, found.as_of

Inside `past` this thread's connection is the standby's: whatever the work asks for, by the ORM or
in SQL of its own, it asks there. The work must be done when it returns: what it gives is read, not
a query. It locks nothing, writes nothing and makes no temporary table: a standby refuses that.

A standby that lags, is away, or ends the statement (its log had to go on) is left out: the work is
done on the primary. It lags when its last transaction is older than READ_LAG_SECONDS, unless it
still receives the log and has applied all of it: then there was none since.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Generic, TypeVar

import psycopg
from django.conf import settings
from django.db import (
    DEFAULT_DB_ALIAS,
    DatabaseError,
    InterfaceError,
    OperationalError,
    connection,
    connections,
)
from django.http.response import HttpResponseBase

from kernel.postgres.base import DatabaseWrapper
from kernel.postgres.pool import Connection

logger = logging.getLogger(__name__)
Result = TypeVar("Result")
Answer = TypeVar("Answer", bound=HttpResponseBase)

HEADER = "X-Data-As-Of"
PROBE_SECONDS, WORK_SECONDS = 1.0, 30.0
"""How long a standby is waited for: to be found and to say how far it is, and for the work."""
LOOK_SECONDS = 1.0
"""How often it is looked at meanwhile: a standby that answers nobody ends no work."""
AWAY_SECONDS = 5.0
"""How long it is not asked after it failed."""
_STATE = (
    "SELECT pg_is_in_recovery(), pg_last_xact_replay_timestamp(),"
    " extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float,"
    " EXISTS (SELECT FROM pg_stat_wal_receiver)"
    " AND pg_last_wal_replay_lsn() >= pg_last_wal_receive_lsn()"
)
_own = threading.local()


class _LeftOut(Exception):
    """The standby can't be asked now; the message says why."""


class _NotAsked(Exception):
    """It is away, or another thread finds out whether it is."""


class _Away:
    """Of this process: `until` is when a standby that failed may be asked again, by the monotonic
    clock; 0 while it did not fail. One thread asks it then, and the others only when it answered:
    each would wait to learn the same."""

    def __init__(self) -> None:
        self.until = 0.0
        self._one = threading.Lock()

    def begins(self) -> None:
        self.until = time.monotonic() + AWAY_SECONDS

    @contextmanager
    def asked(self) -> Iterator[None]:
        """While it is asked how far it is. Raises `_NotAsked`."""
        if not self.until:
            yield
            return
        if not self._one.acquire(blocking=False):
            raise _NotAsked
        try:
            if time.monotonic() < self.until:
                raise _NotAsked
            yield
            self.until = 0.0
        except (OperationalError, InterfaceError):
            self.begins()
            raise
        finally:
            self._one.release()


_away = _Away()


@dataclass(frozen=True)
class Read(Generic[Result]):
    """`as_of` is the moment that the standby had got to; None when the primary was asked."""

    value: Result
    as_of: datetime | None = None


def told(response: Answer, read: Read[Any]) -> Answer:
    """The answer, with the moment that it is of where a standby gave it."""
    if read.as_of is not None:
        response[HEADER] = read.as_of.isoformat()
    return response


def past(work: Callable[[], Result], *, where: bool = True) -> Read[Result]:
    """What the work returns, done on a standby where there is one that is not behind. `where` says
    whether it reads the past at all: live figures are the primary's."""
    if not where or not settings.DATABASE_READ or connection.in_atomic_block:
        return Read(work())
    try:
        with _on_standby() as as_of:
            return Read(work(), as_of)
    except _NotAsked:
        pass
    except (_LeftOut, DatabaseError, InterfaceError) as error:
        _leave_out(error)
    return Read(work())


def _leave_out(error: Exception) -> None:
    """What took too long there would take as long on the primary: it is raised."""
    if isinstance(error.__cause__, psycopg.errors.QueryCanceled):
        raise error
    if isinstance(error, OperationalError | InterfaceError):
        _away.begins()
    logger.warning("read on the primary: %s", str(error).strip() or type(error).__name__)


@contextmanager
def _on_standby() -> Iterator[datetime]:
    standby = _wrapper()
    with _swapped(standby):
        with _away.asked():
            opened, (is_standby, as_of, lag, is_level) = standby.found()
        if not is_standby:
            raise _LeftOut("DATABASE_READ_URL leads to the primary")
        if as_of is None or (lag > settings.READ_LAG_SECONDS and not is_level):
            raise _LeftOut(f"the standby has applied nothing for {lag or 0:.0f} s")
        answers = partial(_answers, standby.get_connection_params(), opened)
        with _within(WORK_SECONDS, opened, answers):
            yield as_of


class _Standby(DatabaseWrapper):
    """A connection that is open and answers within PROBE_SECONDS, or it is away: whatever of that
    it hangs in."""

    _until = 0.0

    def found(self) -> tuple[Connection, tuple[bool, datetime | None, float | None, bool]]:
        """The connection, and the standby's state (`_STATE`)."""
        self._until = time.monotonic() + PROBE_SECONDS
        self.close_if_unusable_or_obsolete()
        self.close_if_health_check_failed()
        opened = self.open_connection()
        with _within(self._left(), opened), self.cursor() as cursor:
            cursor.execute(_STATE)
            return opened, cursor.fetchone()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        return _opened(partial(super().get_new_connection, conn_params), self._left())

    def init_connection_state(self) -> None:
        with _within(self._left(), self.open_connection()):
            super().init_connection_state()

    def _left(self) -> float:
        return max(0.0, self._until - time.monotonic())


def _opened(connect: Callable[[], Connection], seconds: float) -> Connection:
    """What it opens within that time. psycopg alone waits 2 s at least, for each of several hosts
    anew, and for an address as long as it takes to find one."""
    opening = ThreadPoolExecutor(1)
    made = opening.submit(connect)
    opening.shutdown(wait=False)
    try:
        return made.result(seconds)
    except TimeoutError:
        made.add_done_callback(_close)
        raise psycopg.errors.ConnectionTimeout("the standby takes no connection") from None


def _close(made: Future[Connection]) -> None:
    if made.exception() is None:
        made.result().close()


def _answers(params: dict[str, Any], opened: Connection) -> bool:
    """Whether the server of this connection takes another one."""
    there = {**params, "host": opened.info.host, "port": opened.info.port}
    try:
        _opened(lambda: psycopg.connect(**there), PROBE_SECONDS).close()
    except psycopg.Error:
        return False
    return True


@contextmanager
def _within(
    seconds: float, opened: Connection, answers: Callable[[], bool] = lambda: True
) -> Iterator[None]:
    """Hang up when the time is over, or when the server does not answer any more. One that is
    frozen keeps its connections, and its kernel confirms what is sent: nothing else would end the
    wait."""
    done = threading.Event()
    # A file of its own: the connection's number may be another's by then.
    line = socket.socket(fileno=os.dup(opened.fileno()))

    def watch() -> None:
        until = time.monotonic() + seconds
        with line:
            while not done.wait(min(LOOK_SECONDS, max(0.0, until - time.monotonic()))):
                if time.monotonic() >= until or not answers():
                    with suppress(OSError):
                        line.shutdown(socket.SHUT_RDWR)
                    return

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        done.set()


@contextmanager
def _swapped(standby: DatabaseWrapper) -> Iterator[None]:
    """Whoever asks for this thread's connection meanwhile gets the standby's."""
    own = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = standby
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = own


def _wrapper() -> _Standby:
    """This thread's connection to the standby; kept as long as the thread."""
    found: _Standby | None = getattr(_own, "standby", None)
    if found is None or _own.of is not settings.DATABASE_READ:
        _own.of = settings.DATABASE_READ
        given = {**connections[DEFAULT_DB_ALIAS].settings_dict, **settings.DATABASE_READ}
        found = _own.standby = _Standby(given, alias=DEFAULT_DB_ALIAS)
    return found
