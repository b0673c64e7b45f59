"""Sessions kept in the process hold for as long as their stamp does."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from psycopg import Connection, connect
from psycopg.errors import LockNotAvailable

from eqtrade.up.postgres import PostgresServer
from prices.models import CalendarStamp, SessionOverride
from prices.sessions import (
    CALENDAR_STAMP_SQL,
    read_once,
    sessions,
    sessions_at,
    sessions_cached,
)
from prices.sessions import current as module

MONDAY, TUESDAY = date(2026, 2, 2), date(2026, 2, 3)
CLOSE = "INSERT INTO prices_sessionoverride (date, is_closed, reason) VALUES (%s, true, 'Storm')"

Counted = Callable[[int], AbstractContextManager[Any]]


def stamp() -> UUID | None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {CALENDAR_STAMP_SQL}")
        found: UUID | None = cursor.fetchone()[0]
        return found


def trades_on(day: date) -> bool:
    return sessions().is_session(day)


@pytest.fixture
def first(committed_db: PostgresServer) -> Iterator[Connection]:
    """A connection of another process, with the rights of the runtime role."""
    with connect(committed_db.url("runtime", "eqtrade")) as other:
        yield other


@pytest.fixture
def second(committed_db: PostgresServer) -> Iterator[Connection]:
    with connect(committed_db.url("runtime", "eqtrade")) as other:
        yield other


def test_a_change_is_seen_once_committed_and_not_before(first: Connection) -> None:
    assert trades_on(MONDAY)
    first.execute(CLOSE, [MONDAY])
    assert trades_on(MONDAY)
    first.commit()
    assert not trades_on(MONDAY)
    first.execute("DELETE FROM prices_sessionoverride")
    first.rollback()
    assert not trades_on(MONDAY)


def test_the_one_that_began_first_may_commit_last(first: Connection, second: Connection) -> None:
    """What it took when it began (its id, its time) is older than what is known by then."""
    first.execute("SELECT pg_current_xact_id(), now()")
    second.execute(CLOSE, [TUESDAY])
    second.commit()
    assert (trades_on(MONDAY), trades_on(TUESDAY)) == (True, False)
    first.execute(CLOSE, [MONDAY])
    first.commit()
    assert (trades_on(MONDAY), trades_on(TUESDAY)) == (False, False)


def test_changes_at_once_wait_for_each_other(first: Connection, second: Connection) -> None:
    """So no stamp of a change that did not know the other outlives both."""
    first.execute(CLOSE, [MONDAY])
    second.execute("SET lock_timeout = '50ms'")
    with pytest.raises(LockNotAvailable):
        second.execute(CLOSE, [TUESDAY])
    second.rollback()
    first.commit()
    second.execute(CLOSE, [TUESDAY])
    second.commit()
    assert (trades_on(MONDAY), trades_on(TUESDAY)) == (False, False)


def test_an_older_snapshot_keeps_its_calendar(first: Connection) -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        before = stamp()
        first.execute(CLOSE, [MONDAY])
        first.commit()
        assert trades_on(MONDAY)
        assert sessions_at(before).is_session(MONDAY)
    assert not trades_on(MONDAY)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE prices_sessionoverride SET is_closed = false, early_close = '13:00'",
        "DELETE FROM prices_sessionoverride WHERE date = '2026-02-02'",
        "TRUNCATE prices_sessionoverride",
    ],
)
def test_every_way_to_change_rows_is_seen(committed_db: PostgresServer, change: str) -> None:
    with connect(committed_db.url("owner", "eqtrade"), autocommit=True) as owner:
        with owner.cursor() as cursor:
            cursor.executemany(CLOSE, [[MONDAY], [TUESDAY]])
        assert not trades_on(MONDAY)
        owner.execute(change.encode())
        assert trades_on(MONDAY)


@pytest.mark.django_db
def test_a_question_is_one_query_changed_or_not(django_assert_num_queries: Counted) -> None:
    with django_assert_num_queries(1):
        known = sessions()
    with django_assert_num_queries(1):
        assert sessions() is known
    SessionOverride.objects.create(date=MONDAY, is_closed=True, reason="Storm")
    with django_assert_num_queries(1):
        assert not sessions().is_session(MONDAY)


@pytest.mark.django_db
def test_what_is_kept_answers_without_a_query(django_assert_num_queries: Counted) -> None:
    known = sessions()
    with django_assert_num_queries(0):
        cached, of = sessions_cached()
    assert (cached, of) == (known, stamp())
    with django_assert_num_queries(0):
        assert sessions_at(of) is known
    SessionOverride.objects.create(date=MONDAY, is_closed=True, reason="Storm")
    with django_assert_num_queries(0):
        assert sessions_cached() == (known, of)
    now = stamp()
    assert now != of
    with django_assert_num_queries(1):
        assert not sessions_at(now).is_session(MONDAY)
    with django_assert_num_queries(0):
        assert not sessions_at(now).is_session(MONDAY)


@pytest.mark.django_db
def test_a_process_that_keeps_nothing_yet_reads(
    django_assert_num_queries: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    SessionOverride.objects.create(date=MONDAY, is_closed=True, reason="Storm")
    monkeypatch.setattr(module, "_kept", None)
    with django_assert_num_queries(1):
        cached, of = sessions_cached()
    assert not cached.is_session(MONDAY)
    assert of == stamp()


@pytest.mark.django_db
def test_a_rolled_back_change_leaves_nothing_behind() -> None:
    with transaction.atomic():
        SessionOverride.objects.create(date=MONDAY, is_closed=True, reason="Storm")
        assert not trades_on(MONDAY)
        transaction.set_rollback(True)
    cached, of = sessions_cached()
    assert not cached.is_session(MONDAY)
    assert of != stamp()
    assert trades_on(MONDAY)


@pytest.mark.django_db
def test_a_slow_reader_costs_a_reading_and_no_wrong_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sessions()
    older = sessions_cached()
    SessionOverride.objects.create(date=MONDAY, is_closed=True, reason="Storm")
    assert not trades_on(MONDAY)
    monkeypatch.setattr(module, "_kept", older)
    assert not trades_on(MONDAY)
    assert not sessions_cached()[0].is_session(MONDAY)


@pytest.mark.django_db
def test_without_a_stamp_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_kept", None)
    SessionOverride.objects.create(date=MONDAY, is_closed=True, reason="Storm")
    CalendarStamp.objects.all().delete()
    assert stamp() is None
    assert not trades_on(MONDAY)
    assert not sessions_at(None).is_session(MONDAY)
    cached, of = sessions_cached()
    assert (cached.is_session(MONDAY), of) == (False, None)
    SessionOverride.objects.all().delete()
    assert stamp() is not None
    assert trades_on(MONDAY)


@pytest.mark.django_db
def test_there_is_one_row() -> None:
    assert CalendarStamp.objects.count() == 1
    with pytest.raises(IntegrityError, match="calendar_stamp_one_row"):
        CalendarStamp.objects.create(id=2, stamp=uuid4())


@pytest.mark.django_db
def test_a_statement_of_the_block_says_its_calendar(django_assert_num_queries: Counted) -> None:
    sessions()
    now = stamp()
    with read_once(), django_assert_num_queries(0):
        known = sessions_at(now)
        assert sessions() is known
    with read_once():
        asked = sessions()
        SessionOverride.objects.create(date=MONDAY, is_closed=True, reason="Storm")
        assert not sessions_at(stamp()).is_session(MONDAY)
        assert sessions() is asked
