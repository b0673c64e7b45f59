"""Months are partitions; the owner alone masks and drops, and no row is lost on the way."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from audit.models import Record, Refusal
from audit.months import addresses_mask, months, months_drop, months_make, rest
from audit.recording import record, refused
from eqtrade.up.postgres import PostgresServer
from tests.conftest import be

THEN = datetime(2001, 3, 31, 23, 59, 59, tzinfo=UTC)


@pytest.fixture
def owner(committed_db: PostgresServer) -> Iterator[None]:
    be(committed_db.url("owner"))
    yield
    be(committed_db.url("runtime"))


def recorded(at: datetime, address: str | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('eqtrade.recorded_at', %s, false)", [at.isoformat()])
        record("test")
        cursor.execute("SELECT set_config('eqtrade.recorded_at', '', false)")


def with_address(at: datetime, address: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_record (recorded_at, event, actor_name, address, source, request_id,"
            " object_id, object_name) VALUES (%s, 'test', '', %s, '', '', '', '')",
            [at, address],
        )


def test_rows_of_a_month_that_nobody_made_are_moved_to_it(owner: None) -> None:
    recorded(THEN)
    recorded(THEN + timedelta(seconds=1))
    assert rest() == 2
    assert months_make(date(2001, 3, 1), 2) == ["y2001m03", "y2001m04"]
    assert months_make(date(2001, 3, 1), 2) == []
    assert rest() == 0
    assert Record.objects.filter(event="test").count() == 2
    assert {"y2001m03", "y2001m04"} <= set(months())
    assert months_drop(date(2001, 4, 1)) == ["y2001m03"]
    assert Record.objects.filter(event="test").count() == 1
    assert months_drop(date(2001, 5, 1)) == ["y2001m04"]


def test_old_addresses_are_masked(owner: None) -> None:
    for at in (THEN, THEN + timedelta(days=2)):
        with_address(at, "192.0.2.77")
        with_address(at, "2001:db8:1:2::3")
    for address in ("192.0.2.77", "192.0.2.78"):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO audit_refusal (minute, door, address, name, count)"
                " VALUES (%s, 'token', %s, 'x', 3)",
                [THEN.replace(second=0), address],
            )
    assert addresses_mask(date(2001, 4, 1)) == 3
    assert addresses_mask(date(2001, 4, 1)) == 0
    found = Record.objects.filter(event="test").order_by("recorded_at", "pk")
    assert list(found.values_list("address", flat=True)) == [
        "192.0.2.0", "2001:db8:1::", "192.0.2.77", "2001:db8:1:2::3",
    ]  # fmt: skip
    assert list(Refusal.objects.values_list("address", "count")) == [("192.0.2.0", 6)]


def test_the_locks_are_back_afterwards(owner: None) -> None:
    recorded(THEN)
    refused(door="token", name="x", now=THEN)
    months_make(date(2001, 3, 1), 1)
    addresses_mask(date(2001, 4, 1))
    from django.db import DatabaseError

    for table in ("audit_record", "audit.y2001m03", "audit.rest", "audit_refusal"):
        recorded(THEN - timedelta(days=400))
        with pytest.raises(DatabaseError), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}")
    months_drop(date(2001, 4, 1))
