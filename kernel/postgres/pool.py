"""Connections kept open between requests, each looked at before it is handed out.

PostgreSQL says nothing to a client that asked nothing. A socket that can be read while its
connection is idle therefore holds a farewell, or its end: `pg_terminate_backend`, a restart, a
crash. Looking costs a microsecond where a `SELECT 1` costs a round trip.

A connection is opened by the thread that needs it. While PostgreSQL is down that thread learns so
at once, and the first one after it is back is served: nobody waits for another's next attempt.
"""

import select
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

Connection = psycopg.Connection[Any]


class PoolExhausted(psycopg.OperationalError):
    """All connections that there may be were in use for as long as a caller waits."""


def is_quiet(connection: Connection) -> bool:
    """Whether an idle connection can be used: it is open, and nothing came from the server.

    A server that vanished without closing (a cut cable) is quiet, too; only TCP finds out."""
    if connection.closed:
        return False
    look = select.poll()
    look.register(connection.fileno(), select.POLLIN | select.POLLPRI)
    return not look.poll(0)


class Pool:
    """At most `max_size` connections in use or idle; the one used last is handed out first.

    `getconn` waits up to `timeout` seconds for one to come back. Idle for longer than `max_idle`
    seconds, it is closed when the next one comes back.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        *,
        max_size: int = 16,
        timeout: float = 5.0,
        max_idle: float = 600.0,
    ) -> None:
        self._connect = connect
        self._timeout = timeout
        self._max_idle = max_idle
        self._places = threading.BoundedSemaphore(max_size)
        self._lock = threading.Lock()
        self._idle: deque[tuple[Connection, float]] = deque()
        self._closed = False

    def open(self) -> None:
        """Nothing to do, though Django calls it: connections are opened when they are needed."""

    def getconn(self) -> Connection:
        """A usable connection; it must be given back. Raises what opening one raises."""
        if not self._places.acquire(timeout=self._timeout):
            raise PoolExhausted(f"no connection came back within {self._timeout:g} s")
        try:
            return self._take() or self._open()
        except BaseException:
            self._places.release()
            raise

    def putconn(self, connection: Connection) -> None:
        """Take a connection back; closed, unless it is as it was handed out."""
        at_rest = connection.pgconn.transaction_status == TransactionStatus.IDLE
        with self._lock:
            kept = at_rest and not self._closed
            if kept:
                self._idle.append((connection, time.monotonic()))
        self._places.release()
        if not kept:
            connection.close()
        self._close_unneeded()

    def close(self) -> None:
        """Close what is idle, and what is in use when it comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, deque()
        for connection, _ in idle:
            connection.close()

    def _take(self) -> Connection | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection, _ = self._idle.pop()
            if is_quiet(connection):
                return connection
            connection.close()

    def _open(self) -> Connection:
        connection = self._connect()
        # Where Django's backend looks for whom to give it back to.
        setattr(connection, "_pool", self)  # noqa: B010 - its type is psycopg_pool's, if that is there
        return connection

    def _close_unneeded(self) -> None:
        horizon = time.monotonic() - self._max_idle
        with self._lock:
            unneeded = []
            while self._idle and self._idle[0][1] < horizon:
                unneeded.append(self._idle.popleft()[0])
        for connection in unneeded:
            connection.close()
