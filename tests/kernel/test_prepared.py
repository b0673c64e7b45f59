"""Statements planned once: by their text, whatever the numbers; in Django's transactions."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from decimal import Decimal

import psycopg
import pytest
from django.db import (
    IntegrityError,
    NotSupportedError,
    connection,
    transaction,
)
from django.db.transaction import TransactionManagementError

from eqtrade.up.postgres import PostgresServer
from kernel import prepared
from kernel.postgres.base import default_database
from tests.database_ends import end_all

pytestmark = pytest.mark.usefixtures("committed_db")
COUNT = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s AND NOT from_sql"


def known(part: str) -> int:
    """How many statements with this in their text this connection has."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [f"%{part}%"])
        found: int = cursor.fetchone()[0]
        return found


@pytest.fixture
def table(committed_db: PostgresServer) -> Iterator[psycopg.Connection]:
    """The owner's connection, beside a table `outdated` that the runtime role may use."""
    with psycopg.connect(committed_db.url("owner"), autocommit=True) as owner:
        owner.execute("CREATE TABLE outdated (id int PRIMARY KEY, note text)")
        owner.execute("GRANT SELECT, INSERT ON outdated TO eqtrade")
        owner.execute("INSERT INTO outdated VALUES (1, 'one')")
        try:
            yield owner
        finally:
            connection.close()
            owner.execute("DROP TABLE outdated")


def test_rows_row_and_none() -> None:
    assert prepared.rows("SELECT n FROM generate_series(1, %s) n", [3]) == [(1,), (2,), (3,)]
    assert prepared.row("SELECT %s::text, %s::numeric", ["a", Decimal("1.50")]) == (
        "a",
        Decimal("1.50"),
    )
    assert prepared.row("SELECT %(a)s::int, %(a)s::text", {"a": 7}) == (7, "7")
    assert prepared.row("SELECT 1 WHERE %s::date IS NULL", ["2026-03-17"]) is None
    assert prepared.rows("SET LOCAL application_name = 'tests'") == []


def test_a_text_is_one_statement_whatever_the_size_of_its_numbers() -> None:
    for number in (1, -40_000, 3_000_000_000, 2**62):
        sql = "SELECT /* sizes */ %s + 0, %s + 0, %s::bigint[]"
        assert prepared.row(sql, [number, 1, [number, 1]]) == (number, 1, [number, 1])

    assert known("/* sizes */") == 1


def test_django_binds_as_it_did(table: psycopg.Connection) -> None:
    """Its statements are neither prepared nor kept: their texts hold the values."""
    prepared.rows("SELECT 1")
    with connection.cursor() as cursor:
        for number in range(20):
            cursor.execute("SELECT /* django */ %s, note FROM outdated", [number])
    assert known("/* django */") == 0
    assert connection.connection is not None
    assert len(connection.connection._prepared._counts) == 0


def test_it_is_part_of_the_transaction(table: psycopg.Connection) -> None:
    sql = "INSERT INTO outdated VALUES (%s, %s) RETURNING id"
    with transaction.atomic():
        assert prepared.row(sql, [2, "two"]) == (2,)
        transaction.set_rollback(True)
    assert prepared.rows("SELECT id FROM outdated") == [(1,)]
    with transaction.atomic():
        prepared.row(sql, [2, "two"])
    assert prepared.rows("SELECT id FROM outdated ORDER BY 1") == [(1,), (2,)]


def test_errors_are_djangos_and_a_broken_transaction_is_refused(
    table: psycopg.Connection,
) -> None:
    sql = "INSERT INTO outdated VALUES (%s, %s)"
    with pytest.raises(IntegrityError):
        prepared.rows(sql, [1, "again"])
    with transaction.atomic():
        prepared.rows(sql, [2, "two"])
        with pytest.raises(IntegrityError), transaction.atomic():
            prepared.rows(sql, [1, "again"])
        prepared.rows(sql, [3, "three"])
        transaction.set_rollback(True)
        with pytest.raises(TransactionManagementError):
            prepared.rows(sql, [4, "four"])


def test_what_a_savepoint_undid_is_not_planned_again(table: psycopg.Connection) -> None:
    sql = "SELECT /* savepoint */ id FROM outdated WHERE id = %s"
    with transaction.atomic():
        with transaction.atomic():
            prepared.rows(sql, [1])
            transaction.set_rollback(True)
        assert prepared.rows(sql, [1]) == [(1,)]
        assert known("/* savepoint */") == 1


def test_statements_are_counted_with_all_others(
    django_assert_num_queries: Callable[[int], AbstractContextManager[None]],
) -> None:
    seen: list[str] = []

    def see(execute: Callable[..., object], sql: str, *rest: object) -> object:
        seen.append(sql)
        return execute(sql, *rest)

    with django_assert_num_queries(2), connection.execute_wrapper(see):
        prepared.rows("SELECT %s", [1])
        prepared.row("SELECT %s", ["a"])
    assert seen == ["SELECT %s", "SELECT %s"]


def test_a_changed_type_is_found_out(table: psycopg.Connection) -> None:
    """With two statements known, both of which the change outdates."""
    sql = ["SELECT note FROM outdated", "SELECT note, id FROM outdated"]
    for each in sql:
        prepared.rows(each)
    table.execute("ALTER TABLE outdated ALTER note TYPE varchar(10)")
    table.execute("ALTER TABLE outdated ALTER id TYPE bigint")

    for each in sql:
        assert prepared.rows(each)[0][0] == "one"


def test_a_changed_type_is_found_out_after_the_transaction(table: psycopg.Connection) -> None:
    sql = "SELECT id FROM outdated"
    prepared.rows(sql)
    table.execute("ALTER TABLE outdated ALTER id TYPE bigint")

    with pytest.raises(NotSupportedError), transaction.atomic():
        prepared.rows(sql)
    with transaction.atomic():
        assert prepared.rows(sql) == [(1,)]


def test_what_is_not_supported_is_said_once() -> None:
    with pytest.raises(NotSupportedError, match="ordered-set"):
        prepared.rows(
            "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY n) OVER () FROM (VALUES (1)) v(n)"
        )


def test_another_connection_plans_for_itself(committed_db: PostgresServer) -> None:
    sql = "SELECT /* another */ %s"
    prepared.rows(sql, [1])
    end_all(committed_db)
    default_database().close_if_unusable_or_obsolete()
    connection.close()

    assert known("/* another */") == 0
    assert prepared.rows(sql, [1]) == [(1,)]


def test_a_cursor_that_somebody_closed_is_made_anew() -> None:
    with default_database().prepared_cursor() as cursor:
        cursor.execute("SELECT 1")
    assert prepared.row("SELECT 2") == (2,)
