"""Snapshots hold what was recorded by the session's end, on time or late, and never change."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from psycopg import connect

from eqtrade.up.postgres import PostgresServer
from eqtrade.verify import verify
from kernel.clock import clock_set
from positions.health import overdue_snapshots
from positions.models import PositionSnapshot, SnapshotRun
from positions.snapshots.take import snapshots_work
from prices.models import SessionOverride
from tests import factories as make
from tests.pnl.conftest import (
    FRIDAY,
    MONDAY,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    Days,
    at,
    recorded,
    settle,
)

END = at(WEDNESDAY, 20)
AFTER = END + timedelta(minutes=15)


def take(now: datetime) -> list[date]:
    with recorded(now):
        return snapshots_work(now=now, patience=0)


def kept() -> list[tuple[Any, ...]]:
    names = ("session", "account__code", "instrument__ticker", "quantity")
    return list(PositionSnapshot.objects.order_by(*names[:3]).values_list(*names))


def forget(cluster: PostgresServer) -> None:
    """As if no snapshot had been taken. Only the superuser can."""
    with connect(cluster.url("superuser", "eqtrade"), autocommit=True) as root:
        root.execute("SET session_replication_role = replica")
        root.execute("DELETE FROM positions_positionsnapshot")
        root.execute("DELETE FROM positions_snapshotrun")


@contextmanager
def open_booking(days: Days, quantity: str, when: datetime) -> Iterator[None]:
    """A booking recorded at that moment whose transaction stays open within, and commits then."""
    written, go_on = threading.Event(), threading.Event()

    def book() -> None:
        try:
            with recorded(when), transaction.atomic():
                make.make_trade(
                    days.user, days.account, days.ibm, quantity, "40",
                    trade_date=WEDNESDAY, at=when,
                )  # fmt: skip
                written.set()
                assert go_on.wait(30)
        finally:
            connection.close()

    thread = threading.Thread(target=book)
    thread.start()
    assert written.wait(30)
    yield
    go_on.set()
    thread.join(30)


def test_taken_when_the_closes_are_settled_with_them(days: Days) -> None:
    days.trade("10", "40", WEDNESDAY)
    days.close(WEDNESDAY, "42")
    assert take(END) == []  # at the end itself nothing is over yet
    assert take(AFTER) == []
    assert SnapshotRun.objects.get().taken_at is None  # begun, and waiting for closes
    settle(WEDNESDAY)
    assert take(AFTER) == [WEDNESDAY]
    assert kept() == [(WEDNESDAY, "Test1", "IBM", Decimal(10))]
    assert PositionSnapshot.objects.get().close == Decimal(42)
    assert take(AFTER) == []


def test_what_was_in_flight_at_the_end_is_waited_for(days: Days) -> None:
    settle(WEDNESDAY)
    days.trade("10", "40", WEDNESDAY)
    with open_booking(days, "5", END - timedelta(seconds=1)):
        assert take(AFTER) == []
        assert PositionSnapshot.objects.count() == 0
    assert take(AFTER) == [WEDNESDAY]
    assert kept() == [(WEDNESDAY, "Test1", "IBM", Decimal(15))]


def test_taken_a_day_late_it_is_the_same_row_by_row(
    days: Days, committed_db: PostgresServer
) -> None:
    """Bookings in flight at the end, and then everything that changes the past since."""
    settle(WEDNESDAY)
    other, xom = make.make_account("Test2"), make.make_instrument("XOM")
    wrong = days.trade("10", "40", TUESDAY)
    double = days.trade("3", "41", WEDNESDAY)
    days.trade("-4", "41", WEDNESDAY, account=other, instrument=xom)
    days.trade("4", "41", WEDNESDAY, account=other)
    days.trade("-4", "41", WEDNESDAY, account=other, when=END)
    days.trade("9", "41", WEDNESDAY, account=other, when=END + timedelta(microseconds=1))
    with open_booking(days, "5", END - timedelta(milliseconds=1)), open_booking(days, "6", END):
        assert take(AFTER) == []
    assert take(AFTER) == [WEDNESDAY]
    on_time = kept()
    assert on_time == [
        (WEDNESDAY, "Test1", "IBM", Decimal(24)),
        (WEDNESDAY, "Test2", "XOM", Decimal(-4)),
    ]
    forget(committed_db)
    days.trade("7", "40", MONDAY, when=at(THURSDAY))
    days.amend(wrong, at(THURSDAY), quantity=Decimal(11), account="Test2")
    days.cancel(double, at(THURSDAY))
    days.trade("-1", "40", THURSDAY)
    assert WEDNESDAY in take(at(FRIDAY))
    assert [row for row in kept() if row[0] == WEDNESDAY] == on_time


def test_verify_compares_snapshots_with_the_ledger_of_then(
    days: Days, committed_db: PostgresServer
) -> None:
    settle(WEDNESDAY)
    days.trade("10", "40", WEDNESDAY)
    take(AFTER)
    days.trade("5", "40", WEDNESDAY, when=at(THURSDAY))
    assert verify() == []
    with connect(committed_db.url("superuser", "eqtrade"), autocommit=True) as root:
        root.execute("SET session_replication_role = replica")
        root.execute("UPDATE positions_positionsnapshot SET quantity = 15")
    assert [(b.what, b.found, b.expected) for b in verify()] == [("snapshot", 15, 10)]


def test_missed_sessions_are_caught_up_with(days: Days) -> None:
    days.trade("10", "40", MONDAY)
    days.trade("-10", "40", WEDNESDAY)
    settle(MONDAY, TUESDAY, WEDNESDAY, THURSDAY)
    assert take(at(FRIDAY)) == [MONDAY, TUESDAY, WEDNESDAY, THURSDAY]
    assert [row[0] for row in kept()] == [MONDAY, TUESDAY]  # flat positions have no row
    assert SnapshotRun.objects.get(session=WEDNESDAY).rows == 0


def test_a_half_day_ends_early(days: Days) -> None:
    SessionOverride.objects.create(date=WEDNESDAY, early_close="13:00", reason="half day")
    settle(WEDNESDAY)
    days.trade("10", "40", WEDNESDAY, when=at(WEDNESDAY, 17))
    days.trade("5", "40", WEDNESDAY, when=at(WEDNESDAY, 17, 1))
    assert take(at(WEDNESDAY, 17, 2)) == [WEDNESDAY]
    assert kept() == [(WEDNESDAY, "Test1", "IBM", Decimal(10))]


def test_a_session_that_was_slept_through_long_ago_waits_for_its_closes(days: Days) -> None:
    days.trade("10", "40", WEDNESDAY)
    settle(TUESDAY)
    month_later = at(date(2026, 4, 20))
    assert WEDNESDAY not in take(month_later)
    days.close(WEDNESDAY, "42")
    settle(WEDNESDAY)
    assert take(month_later) == [WEDNESDAY]
    assert PositionSnapshot.objects.get(session=WEDNESDAY).close == Decimal(42)


def test_a_closure_that_is_entered_late_stops_no_other_snapshot(days: Days) -> None:
    days.trade("10", "40", WEDNESDAY)
    assert take(at(THURSDAY, 13)) == []  # Wednesday is begun
    closure = SessionOverride.objects.create(date=WEDNESDAY, is_closed=True, reason="mourning")
    settle(THURSDAY)
    assert take(at(FRIDAY, 13)) == [THURSDAY]
    assert overdue_snapshots(at(FRIDAY, 13)) == []
    closure.delete()
    settle(WEDNESDAY)
    assert take(at(FRIDAY, 13)) == [WEDNESDAY]


def test_a_name_without_a_close_is_counted(days: Days) -> None:
    days.trade("10", "40", WEDNESDAY)
    settle(WEDNESDAY)
    take(AFTER)
    assert SnapshotRun.objects.get().missing_closes == 1
    assert PositionSnapshot.objects.get().close is None


def test_two_at_once_write_once(days: Days) -> None:
    days.trade("10", "40", WEDNESDAY)
    settle(WEDNESDAY)
    taken: list[date] = []

    def one() -> None:
        try:
            taken.extend(take(AFTER))
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert taken.count(WEDNESDAY) <= 1
    take(AFTER)
    assert len(kept()) == 1


def test_no_run_begins_before_anything_was_recorded(days: Days) -> None:
    assert take(AFTER) == []
    assert not SnapshotRun.objects.exists()


# --- GET positions/snapshots/ --------------------------------------------------------------------


def get(days: Days, **query: Any) -> Any:
    with clock_set(at(THURSDAY)):
        return make.client_of(days.user).get("/api/v1/positions/snapshots/", query)


def test_a_snapshot_is_read_over_rest(days: Days) -> None:
    xom, other = make.make_instrument("XOM"), make.make_account("Test2")
    days.trade("10", "40", WEDNESDAY)
    days.trade("20", "40", WEDNESDAY, instrument=xom)
    days.trade("30", "40", WEDNESDAY, account=other)
    days.close(WEDNESDAY, "42")
    settle(WEDNESDAY)
    take(AFTER)
    rows = get(days, session="2026-03-18", account="Test1").json()["results"]
    assert rows[0] == {
        "session": "2026-03-18",
        "account": "Test1",
        "ticker": "IBM",
        "quantity": "10",
        "close": "42",
        "taken_at": "2026-03-18T20:15:00Z",
    }
    assert [row["ticker"] for row in rows] == ["IBM", "XOM"]
    assert len(get(days).json()["results"]) == 3  # the latest, all accounts
    page = get(days, page_size=2).json()
    with clock_set(at(THURSDAY)):
        following = make.client_of(days.user).get(page["next"]).json()
        back = make.client_of(days.user).get(following["previous"]).json()
    assert [r["account"] for r in following["results"]] == ["Test2"]
    assert back["results"] == page["results"]
    stranger = make.make_user("stranger")
    with clock_set(at(THURSDAY)):
        assert make.client_of(stranger).get("/api/v1/positions/snapshots/").json()["results"] == []


@pytest.mark.parametrize(
    ("session", "code"),
    [("2026-03-15", "no_session"), ("2026-03-19", "in_future"), ("today", "malformed")],
)
def test_what_has_no_snapshot_is_refused(days: Days, session: str, code: str) -> None:
    answer = get(days, session=session)
    assert answer.status_code == 400
    assert [e["code"] for e in answer.json()["errors"]] == [code]
