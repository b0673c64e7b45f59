"""Advisory locks of the database: all that there are, and the ways to hold one.

They belong to no row, so a holder gets no transaction id by them and holds back no reader of the
ledger. Each serves one purpose only.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum

from django.db import InterfaceError, OperationalError, connection

POLL_SECONDS = 0.1


class Lock(IntEnum):
    """Numbers that nothing else in this database locks."""

    CLOSES_WRITE = 7_205_011
    SOURCE_ASK = 7_205_012
    ACTIONS_WRITE = 7_205_013
    IMPORT_DRY_RUN = 7_205_019
    SNAPSHOT_TAKE = 7_205_021
    DAILY_PNL_WRITE = 7_205_031
    DAILY_PNL_FINALIZE = 7_205_032
    LEDGER_EPOCH = 7_205_041
    BEAT = 7_205_051
    GUARDS_WRITE = 7_205_061
    LIMITS_WATCH = 7_205_062
    ALERTS_WATCH = 7_205_063


class KeyedLock(IntEnum):
    """Locks of which there is one for each key: numbers of the space that has two of them."""

    IMPORT_QUOTA = 7_205_091
    LOGIN_NAME = 7_205_092
    LOGIN_ADDRESS = 7_205_093
    IMPORT_FILE = 7_205_094


def keyed_transaction_lock(lock: KeyedLock, key: object) -> None:
    """As `transaction_lock`, for one key; two keys may share a lock, rarely."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [int(lock), str(key)])


def transaction_lock(lock: Lock) -> None:
    """Wait for the lock and hold it until this transaction ends. What must see the work of the
    holder before is a later statement."""
    _call("pg_advisory_xact_lock", lock)


def try_transaction_lock(lock: Lock) -> bool:
    """Hold the lock until this transaction ends; False, at once, when another one holds it."""
    return _call("pg_try_advisory_xact_lock", lock)


def try_lock_of_session(lock: Lock) -> bool:
    """Hold the lock until the connection of this thread ends, whatever ends it; False, at once,
    when another one holds it. What that connection, `connection.connection`, still answers it says
    as the holder."""
    return _call("pg_try_advisory_lock", lock)


@contextmanager
def session_lock(lock: Lock, *, wait_seconds: float = 0.0) -> Iterator[bool]:
    """Hold the lock for the length of the block, over transactions; False when another process held
    it for so long. It is gone with the process.

    Not for use inside a transaction: a failed one could not give it back.
    """
    deadline = time.monotonic() + wait_seconds
    while not (is_held := _call("pg_try_advisory_lock", lock)) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    try:
        yield is_held
    finally:
        # A connection that is gone has given it back already, and its own error is what counts.
        with suppress(OperationalError, InterfaceError):
            if is_held:
                _call("pg_advisory_unlock", lock)


def _call(function: str, lock: Lock) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [int(lock)])
        return cursor.fetchone()[0] is not False
