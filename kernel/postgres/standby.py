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
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
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
"""How long a standby is waited for: to say how far it is, and for the work."""
AWAY_SECONDS = 5.0
"""How long it is not asked after it failed."""
_STATE = (
    "SELECT pg_is_in_recovery(), pg_last_xact_replay_timestamp(),"
    " extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float,"
    " EXISTS (SELECT FROM pg_stat_wal_receiver)"
    " AND pg_last_wal_replay_lsn() >= pg_last_wal_receive_lsn()"
)
_own = threading.local()


class _Away:
    """`until` is when the standby may be asked again, by the monotonic clock."""

    until = 0.0


_away = _Away()


class _LeftOut(Exception):
    """The standby can't be asked now; the message says why."""


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
    if (
        not where
        or not settings.DATABASE_READ
        or connection.in_atomic_block
        or time.monotonic() < _away.until
    ):
        return Read(work())
    try:
        with _on_standby() as as_of:
            return Read(work(), as_of)
    except (_LeftOut, DatabaseError, InterfaceError) as error:
        _leave_out(error)
    return Read(work())


def _leave_out(error: Exception) -> None:
    """What took too long there would take as long on the primary: it is raised."""
    if isinstance(error.__cause__, psycopg.errors.QueryCanceled):
        raise error
    if isinstance(error, OperationalError | InterfaceError):
        _away.until = time.monotonic() + AWAY_SECONDS
    logger.warning("read on the primary: %s", str(error).strip() or type(error).__name__)


@contextmanager
def _on_standby() -> Iterator[datetime]:
    standby = _wrapper()
    with _swapped(standby):
        standby.close_if_unusable_or_obsolete()
        standby.close_if_health_check_failed()
        opened = standby.open_connection()
        with _within(PROBE_SECONDS, opened), standby.cursor() as cursor:
            cursor.execute(_STATE)
            is_standby, as_of, lag, is_level = cursor.fetchone()
        if not is_standby:
            raise _LeftOut("DATABASE_READ_URL leads to the primary")
        if as_of is None or (lag > settings.READ_LAG_SECONDS and not is_level):
            raise _LeftOut(f"the standby has applied nothing for {lag or 0:.0f} s")
        with _within(WORK_SECONDS, opened):
            yield as_of


@contextmanager
def _within(seconds: float, opened: Connection) -> Iterator[None]:
    """Hang up when the time is over. A server that is frozen keeps its connections, and its kernel
    confirms what is sent: nothing else would end the wait."""
    timer = threading.Timer(seconds, _hang_up, [opened.fileno()])
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        # The number of the connection's file may be another's next.
        timer.join()


def _hang_up(file: int) -> None:
    with suppress(OSError), socket.socket(fileno=os.dup(file)) as line:
        line.shutdown(socket.SHUT_RDWR)


@contextmanager
def _swapped(standby: DatabaseWrapper) -> Iterator[None]:
    """Whoever asks for this thread's connection meanwhile gets the standby's."""
    own = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = standby
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = own


def _wrapper() -> DatabaseWrapper:
    """This thread's connection to the standby; kept as long as the thread."""
    found: DatabaseWrapper | None = getattr(_own, "standby", None)
    if found is None or _own.of is not settings.DATABASE_READ:
        _own.of = settings.DATABASE_READ
        given = {**connections[DEFAULT_DB_ALIAS].settings_dict, **settings.DATABASE_READ}
        found = _own.standby = DatabaseWrapper(given, alias=DEFAULT_DB_ALIAS)
    return found
