"""Django's connection: looked at, not asked; lost, and said to be lost."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import (
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)

from eqtrade.up.postgres import PostgresServer
from kernel.database import is_outage
from kernel.postgres.base import ConnectionLost, DatabaseWrapper, default_database
from tests.database_ends import end_all, end_own

MARKED = "SELECT 'the last thing it was asked'"


def wrapper(**changes: Any) -> DatabaseWrapper:
    """Another thread's connection to the same database, so to speak."""
    settings = {**connection.settings_dict, **changes}
    return DatabaseWrapper(settings, alias="default")


@pytest.fixture
def pooled(committed_db: PostgresServer) -> Iterator[DatabaseWrapper]:
    """As in api and ws."""
    options = {**connection.settings_dict["OPTIONS"], "pool": {"max_size": 4, "timeout": 5}}
    one = wrapper(OPTIONS=options, CONN_MAX_AGE=0, CONN_HEALTH_CHECKS=False)
    yield one
    one.close()
    one.close_pool()


@pytest.fixture
def kept(committed_db: PostgresServer) -> Iterator[DatabaseWrapper]:
    """As in a worker."""
    one = wrapper(CONN_MAX_AGE=None, CONN_HEALTH_CHECKS=True)
    yield one
    one.close()


@pytest.fixture(params=["pooled", "kept"])
def database(request: pytest.FixtureRequest) -> DatabaseWrapper:
    found: DatabaseWrapper = request.getfixturevalue(request.param)
    return found


def ask(database: DatabaseWrapper, sql: str) -> Any:
    with database.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def between_requests(database: DatabaseWrapper) -> None:
    """What Django does at the end of one and at the start of the next."""
    for _ in range(2):
        database.close_if_unusable_or_obsolete()


def test_the_engine_is_ours_and_no_other() -> None:
    assert connection.settings_dict["ENGINE"] == "kernel.postgres"
    assert connection.vendor == "postgresql"
    assert default_database().alias == "default"


def test_nothing_is_asked_to_know_that_it_lives(
    database: DatabaseWrapper, committed_db: PostgresServer
) -> None:
    pid = ask(database, "SELECT pg_backend_pid()")
    ask(database, MARKED)
    between_requests(database)
    database.close_if_health_check_failed()
    database.ensure_connection()

    with psycopg.connect(committed_db.url("superuser")) as superuser:
        sql = "SELECT query FROM pg_stat_activity WHERE pid = %s"
        assert superuser.execute(sql, [pid]).fetchone() == (MARKED,)
    assert ask(database, "SELECT pg_backend_pid()") == pid


def test_after_all_were_ended_the_next_request_is_served(
    database: DatabaseWrapper, committed_db: PostgresServer
) -> None:
    for _ in range(3):
        before = ask(database, "SELECT pg_backend_pid()")
        between_requests(database)
        assert end_all(committed_db) >= 1
        between_requests(database)

        assert ask(database, "SELECT pg_backend_pid()") != before


def test_after_an_error_a_living_connection_is_kept(database: DatabaseWrapper) -> None:
    pid = ask(database, "SELECT pg_backend_pid()")
    with pytest.raises(Exception, match="nowhere"):
        ask(database, "SELECT * FROM nowhere")
    between_requests(database)

    assert ask(database, "SELECT pg_backend_pid()") == pid


def test_an_end_in_the_middle_of_work_is_a_loss(committed_db: PostgresServer) -> None:
    before = default_database().losses
    ask(default_database(), "SELECT 1")
    end_own(committed_db)

    with pytest.raises(ConnectionLost) as lost:
        ask(default_database(), "SELECT 1")
    assert is_outage(lost.value)
    assert default_database().losses == before + 1
    connection.close()
    assert ask(default_database(), "SELECT 1") == 1


def test_an_end_by_ones_own_statement_is_a_loss(committed_db: PostgresServer) -> None:
    """The server says farewell, and closes a moment later."""
    with pytest.raises(ConnectionLost):
        ask(default_database(), "SELECT pg_terminate_backend(pg_backend_pid())")
    assert connection.connection is not None
    assert connection.connection.closed


def test_an_end_inside_a_transaction_is_a_loss(committed_db: PostgresServer) -> None:
    def work() -> None:
        with transaction.atomic():
            ask(default_database(), "SELECT 1")
            end_own(committed_db)
            ask(default_database(), "SELECT 1")

    with pytest.raises(ConnectionLost):
        work()
    assert ask(default_database(), "SELECT 1") == 1


def test_an_end_before_the_commit_is_a_loss(committed_db: PostgresServer) -> None:
    def work() -> None:
        with transaction.atomic():
            ask(default_database(), "SELECT pg_current_xact_id()::text")
            end_own(committed_db)

    with pytest.raises(ConnectionLost):
        work()


def test_a_statement_that_took_too_long_is_no_loss(committed_db: PostgresServer) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '20ms'")
        with pytest.raises(OperationalError) as refused, transaction.atomic():
            ask(default_database(), "SELECT pg_sleep(30)")
    assert not isinstance(refused.value, ConnectionLost)


def test_a_server_that_is_not_there_is_no_loss(committed_db: PostgresServer) -> None:
    nowhere = wrapper(HOST="/nonexistent")
    with pytest.raises(OperationalError) as refused:
        ask(nowhere, "SELECT 1")
    assert not isinstance(refused.value, ConnectionLost | InterfaceError)
    assert is_outage(refused.value)
    assert nowhere.losses == 0


def test_the_pool_opens_connections_as_django_configures_them(pooled: DatabaseWrapper) -> None:
    assert ask(pooled, "SHOW timezone") == "UTC"
    assert ask(pooled, "SHOW client_encoding") == "UTF8"
