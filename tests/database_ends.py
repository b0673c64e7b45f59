"""Ending database connections from outside, as an administrator or a crash does."""

import psycopg
from django.db import connection

from eqtrade.up.postgres import PostgresServer

END_ALL = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = %s AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


def end_all(cluster: PostgresServer) -> int:
    """End every client's connection to the database, and wait until they have; how many it were."""
    with psycopg.connect(cluster.url("superuser"), autocommit=True) as superuser:
        return len(superuser.execute(END_ALL, ["eqtrade"]).fetchall())


def end_own(cluster: PostgresServer) -> None:
    """End the connection of this thread, which does not know yet."""
    assert connection.connection is not None
    pid = connection.connection.info.backend_pid
    with psycopg.connect(cluster.url("superuser"), autocommit=True) as superuser:
        assert superuser.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (
            True,
        )
