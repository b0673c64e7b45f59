"""Answers at fixed clocks, as data. Hours are the exchange's own announcements."""

from datetime import UTC, date, datetime, time

import pytest

from prices.models import SessionOverride
from prices.sessions import NoSession, day_start, sessions

pytestmark = pytest.mark.django_db


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# UTC moment, business date. New York is UTC-5 in winter, UTC-4 in summer.
BUSINESS_DATES = [
    ("2026-01-29T15:00", date(2026, 1, 29)),
    ("2026-01-30T04:59:59", date(2026, 1, 29)),
    ("2026-01-30T05:00", date(2026, 1, 30)),
    ("2026-01-31T12:00", date(2026, 1, 30)),
    ("2026-02-01T12:00", date(2026, 1, 30)),
    ("2026-02-02T04:59:59", date(2026, 1, 30)),
    ("2026-02-02T05:00", date(2026, 2, 2)),
    # Thanksgiving
    ("2026-11-26T15:00", date(2026, 11, 25)),
    # Midnight in New York is 05:00 UTC before the clocks go forward (8 March), 04:00 after.
    ("2026-03-06T04:30", date(2026, 3, 5)),
    ("2026-03-09T03:59", date(2026, 3, 6)),
    ("2026-03-09T04:00", date(2026, 3, 9)),
    # And back on 1 November.
    ("2026-10-30T04:00", date(2026, 10, 30)),
    ("2026-11-02T04:30", date(2026, 10, 30)),
    ("2026-11-02T05:00", date(2026, 11, 2)),
]


@pytest.mark.parametrize(("moment", "expected"), BUSINESS_DATES)
def test_the_business_date_of_a_moment_is_that_of_the_exchange(moment: str, expected: date) -> None:
    assert sessions().business_date(at(moment)) == expected


# Day, opens, closes (UTC); None is no session.
HOURS = [
    (date(2026, 1, 30), "2026-01-30T14:30", "2026-01-30T21:00"),
    (date(2026, 3, 6), "2026-03-06T14:30", "2026-03-06T21:00"),
    (date(2026, 3, 9), "2026-03-09T13:30", "2026-03-09T20:00"),
    (date(2026, 10, 30), "2026-10-30T13:30", "2026-10-30T20:00"),
    (date(2026, 11, 2), "2026-11-02T14:30", "2026-11-02T21:00"),
    (date(2024, 11, 29), "2024-11-29T14:30", "2024-11-29T18:00"),
    (date(2025, 7, 3), "2025-07-03T13:30", "2025-07-03T17:00"),
    (date(2025, 12, 24), "2025-12-24T14:30", "2025-12-24T18:00"),
]
DAYS_OFF = [
    date(2026, 1, 31),
    date(2026, 2, 1),
    date(2026, 1, 1),
    date(2026, 11, 26),
    date(2025, 1, 9),  # a day of mourning
    date(2012, 10, 29),  # a hurricane
    date(1960, 1, 4),  # before the calendar begins
]


@pytest.mark.parametrize(("day", "opens", "closes"), HOURS)
def test_a_session_opens_and_closes_by_the_exchange_calendar(
    day: date, opens: str, closes: str
) -> None:
    session = sessions().session_of(day)
    assert (session.date, session.opens, session.closes) == (day, at(opens), at(closes))
    assert session.opens.tzinfo is UTC
    assert sessions().is_session(day)


@pytest.mark.parametrize("day", DAYS_OFF)
def test_a_day_off_is_no_session(day: date) -> None:
    assert not sessions().is_session(day)
    with pytest.raises(NoSession):
        sessions().session_of(day)


def test_the_calendar_outlasts_a_process() -> None:
    assert sessions().is_session(date(2060, 6, 1))


def test_the_previous_and_next_session_are_never_the_day_itself() -> None:
    assert sessions().previous_session(date(2026, 2, 2)) == date(2026, 1, 30)
    assert sessions().previous_session(date(2026, 2, 1)) == date(2026, 1, 30)
    assert sessions().next_session(date(2026, 1, 30)) == date(2026, 2, 2)
    assert sessions().next_session(date(2026, 1, 31)) == date(2026, 2, 2)
    with pytest.raises(NoSession):
        sessions().previous_session(date(1960, 1, 1))
    with pytest.raises(NoSession):
        sessions().next_session(date(2100, 1, 1))


def test_sessions_between_has_both_ends() -> None:
    assert sessions().sessions_between(date(2026, 1, 30), date(2026, 2, 3)) == [
        date(2026, 1, 30),
        date(2026, 2, 2),
        date(2026, 2, 3),
    ]
    assert sessions().sessions_between(date(2026, 1, 31), date(2026, 2, 1)) == []


def test_a_session_is_completed_at_its_close() -> None:
    half_day_closes = "2026-11-27T18:00"
    assert sessions().completed_sessions(at("2026-11-27T17:59:59"), 2) == [
        date(2026, 11, 24),
        date(2026, 11, 25),
    ]
    assert sessions().completed_sessions(at(half_day_closes), 2) == [
        date(2026, 11, 25),
        date(2026, 11, 27),
    ]
    assert sessions().completed_sessions(at(half_day_closes), 0) == []


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-01-30T14:29:59", False),
        ("2026-01-30T14:30", True),
        ("2026-01-30T20:59:59", True),
        ("2026-01-30T21:00", False),
        ("2026-01-31T16:00", False),
        ("2026-11-27T18:00", False),
    ],
)
def test_the_exchange_is_open_from_its_opening_until_before_its_close(
    moment: str, *, expected: bool
) -> None:
    assert sessions().is_open(at(moment)) is expected


def test_day_start_follows_the_clocks() -> None:
    assert day_start(date(2026, 3, 8)) == at("2026-03-08T05:00")
    assert day_start(date(2026, 3, 9)) == at("2026-03-09T04:00")
    assert day_start(date(2026, 11, 1)) == at("2026-11-01T04:00")


def test_an_override_closes_a_day_at_once_and_gives_it_back() -> None:
    friday, noon = date(2026, 1, 30), at("2026-01-30T17:00")
    assert sessions().is_open(noon)
    row = SessionOverride.objects.create(date=friday, is_closed=True, reason="Storm")
    assert not sessions().is_session(friday)
    assert not sessions().is_open(noon)
    assert sessions().business_date(noon) == date(2026, 1, 29)
    assert sessions().previous_session(date(2026, 2, 2)) == date(2026, 1, 29)
    row.delete()
    assert sessions().business_date(noon) == friday


def test_an_override_closes_early() -> None:
    friday = date(2026, 1, 30)
    SessionOverride.objects.create(date=friday, early_close=time(13), reason="Mourning")
    assert sessions().session_of(friday).opens == at("2026-01-30T14:30")
    assert sessions().session_of(friday).closes == at("2026-01-30T18:00")
    assert sessions().completed_sessions(at("2026-01-30T18:00"), 1) == [friday]


def test_an_override_makes_a_day_off_a_session() -> None:
    saturday = date(2026, 1, 31)
    SessionOverride.objects.create(date=saturday, early_close=time(16), reason="Extra session")
    assert sessions().session_of(saturday).opens == at("2026-01-31T14:30")
    assert sessions().next_session(date(2026, 1, 30)) == saturday


def test_sessions_read_once_ask_the_database_once(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(1):  # type: ignore[operator]
        known = sessions()
        known.business_date(at("2026-01-30T17:00"))
        known.previous_session(date(2026, 1, 30))
