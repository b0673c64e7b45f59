"""Django's backend for PostgreSQL, and what it says of a connection that was lost.

Whether a connection can still be used is told by its socket (`kernel.postgres.pool`), in api and ws
before each request, elsewhere where Django asks for it (`CONN_HEALTH_CHECKS`). A connection that
dies in the middle of work raises `ConnectionLost`: whoever may do the work again does
(`kernel.repeating`).
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import TracebackType
from typing import Any, ClassVar

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base as postgresql
from django.db.backends.postgresql import operations
from django.db.backends.utils import CursorWrapper
from django.db.utils import DatabaseErrorWrapper
from django.utils.functional import cached_property
from psycopg.pq import TransactionStatus
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.numeric import Int8Dumper

from kernel.postgres import hosts, synchronous
from kernel.postgres.pool import Connection, Pool, is_quiet


class ConnectionLost(OperationalError):
    """An open connection ended. What it was asked for was done, or was not: nobody said."""


class NotReplicated(ConnectionLost):
    """A commit that no standby has confirmed: whoever ended its wait was answered with success. As
    after a loss it was done, or was not: the other server may be the one that goes on."""


class LossNoticed(DatabaseErrorWrapper):
    """psycopg's errors as Django's, with the loss of a connection as an error of its own."""

    wrapper: "DatabaseWrapper"

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(exc_value, psycopg.Error) and self.wrapper.notice_loss():
            self.wrapper.errors_occurred = True
            raise ConnectionLost(*exc_value.args).with_traceback(traceback) from exc_value
        super().__exit__(exc_type, exc_value, traceback)


class StandbyAwaited(LossNoticed):
    """Also what was committed and not confirmed is an error."""

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        early = synchronous.ended_early(self.wrapper.connection)
        super().__exit__(exc_type, exc_value, traceback)
        if early and exc_value is None:
            self.wrapper.errors_occurred = True
            self.wrapper.losses += 1
            raise NotReplicated("a commit was not confirmed by the standby")


_PLACEHOLDER = re.compile(r"%(?:%|s|\((\w+)\)s)")


@lru_cache(512)
def _native(sql: str) -> tuple[str, tuple[str, ...]]:
    """The statement with placeholders as PostgreSQL has them, and the names of the parameters in
    their order; none where they have no names. psycopg would look for them again each time in a
    text as long as many of ours."""
    places: dict[str, str] = {}

    def place(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        name = found[1] or str(len(places))
        return places.setdefault(name, f"${len(places) + 1}")

    native = _PLACEHOLDER.sub(place, sql)
    return native, tuple(places)


class PreparedCursor(psycopg.RawCursor[Any]):
    """Has each statement parsed and planned by the server once a connection, by its text and the
    types of its parameters. A whole number is always a bigint: psycopg's choice by size would make
    nine statements of a text with two of them.

    psycopg counts statements only while one runs here. It would else keep the last hundred of all
    others, as long as they are: Django writes the values of an INSERT into its text."""

    is_prepared = True
    """Whether the next statement is, unless it says so itself."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.adapters.register_dumper(int, Int8Dumper)
        # Django's own is written in Python: a fifth of a list of positions was spent in it.
        self.adapters.register_loader("timestamptz", TimestamptzLoader)

    def execute(
        self, query: Any, params: Any = None, *, prepare: bool | None = None, **options: Any
    ) -> "PreparedCursor":
        native, names = _native(query)
        values = [params[name] for name in names] if isinstance(params, Mapping) else params
        self.connection.prepare_threshold = 0
        try:
            wanted = self.is_prepared if prepare is None else prepare
            super().execute(native, values, prepare=wanted, **options)
        finally:
            self.connection.prepare_threshold = None
        return self


def prepared_cursor_of(opened: Connection) -> PreparedCursor:
    """One a connection, kept by it: a cursor's dumpers are dear to set up, and each answer is read
    whole before the next statement."""
    found: PreparedCursor | None = getattr(opened, "_prepared_cursor", None)
    if found is None or found.closed:
        found = PreparedCursor(opened)
        setattr(opened, "_prepared_cursor", found)  # noqa: B010 - psycopg's type has none
    return found


class Operations(operations.DatabaseOperations):
    """Django's, but for what `connection.queries` shows of a prepared statement."""

    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> str:
        if isinstance(cursor, PreparedCursor):
            return str(self.compose_sql(sql, params))
        return super().last_executed_query(cursor, sql, params)


class DatabaseWrapper(postgresql.DatabaseWrapper):
    """One thread's connection. `losses` counts how often it was lost, or a commit of it not
    confirmed."""

    ops_class = Operations
    connection: Connection | None
    losses = 0

    # Django's own, which its stubs do not name.
    _connection_pools: ClassVar[dict[str, Pool]]
    _configure_connection: Callable[[Connection], bool]
    _prepare_cursor: Callable[[PreparedCursor], CursorWrapper]
    close_pool: Callable[[], None]

    @property
    def pool(self) -> Pool | None:
        options = self.settings_dict["OPTIONS"].get("pool")
        if not options or self.alias == NO_DB_ALIAS:
            return None
        found = self._connection_pools.get(self.alias)
        if found is None:
            # Threads that start together may make one each; the first one's is kept.
            made = Pool(self._open, **options)
            found = self._connection_pools.setdefault(self.alias, made)
        return found

    def _open(self) -> Connection:
        """For the pool, as Django does it for a pool."""
        params = self.get_connection_params()
        opened = psycopg.connect(**{**params, "autocommit": True})
        hosts.remember(opened, params)
        self._configure_connection(opened)
        if synchronous.is_on():
            synchronous.watch(opened)
        return opened

    def get_connection_params(self) -> dict[str, Any]:
        return hosts.in_order(super().get_connection_params())

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        opened: Connection = super().get_new_connection(conn_params)
        if self.pool is None:
            hosts.remember(opened, conn_params)
            if synchronous.is_on():
                synchronous.watch(opened)
        return opened

    @cached_property
    def wrap_database_errors(self) -> LossNoticed:
        return StandbyAwaited(self) if synchronous.is_on() else LossNoticed(self)

    def is_usable(self) -> bool:
        """What `SELECT 1` would tell, without asking. An aborted transaction is not usable."""
        if self.connection is None:
            return False
        status = self.connection.pgconn.transaction_status
        usable = status in (TransactionStatus.IDLE, TransactionStatus.INTRANS)
        return usable and is_quiet(self.connection)

    def notice_loss(self) -> bool:
        """Whether the connection was lost. One that could not be opened was not: there is none."""
        if self.connection is None or not self.connection.closed:
            return False
        self.losses += 1
        return True

    def prepared_cursor(self) -> CursorWrapper:
        """As `cursor()`, for statements that are prepared."""
        self.close_if_health_check_failed()
        opened = self.open_connection()
        return self._prepare_cursor(prepared_cursor_of(opened))

    def forget_prepared(self) -> None:
        """Have every prepared statement of this connection made anew. psycopg, seeing this one run,
        forgets them as well."""
        with self.wrap_database_errors:
            PreparedCursor(self.open_connection()).execute("DEALLOCATE ALL", prepare=False)

    def open_connection(self) -> Connection:
        self.ensure_connection()
        if self.connection is None:
            raise InterfaceError("The connection is closed.")
        return self.connection


def default_database() -> DatabaseWrapper:
    """This thread's connection, as our own backend."""
    database = connections[DEFAULT_DB_ALIAS]
    if not isinstance(database, DatabaseWrapper):
        raise ImproperlyConfigured("The database needs the engine kernel.postgres.")
    return database
