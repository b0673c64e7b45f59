"""Settlement days, and the Federal Reserve's holidays as its own lists give them."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection

from prices.models import SessionOverride, SettlementOverride
from prices.sessions import sessions
from prices.sessions.calendar import published_calendar
from prices.sessions.settlement import fed_holidays, settlement_day

# (traded, settles): the last four are of the times of two days.
WORKED = [
    ("2026-10-09", "2026-10-13"),  # Columbus Day is a session, and nothing settles
    ("2026-10-12", "2026-10-13"),
    ("2026-11-10", "2026-11-12"),  # so is Veterans Day
    ("2026-11-11", "2026-11-12"),
    ("2026-07-02", "2026-07-06"),  # 4 July is a Saturday: the exchange keeps the Friday
    ("2026-11-25", "2026-11-27"),
    ("2026-12-31", "2027-01-04"),
    ("2024-05-28", "2024-05-29"),
    ("2024-05-24", "2024-05-29"),
    ("2024-05-23", "2024-05-28"),
    ("2021-12-23", "2021-12-28"),
    ("2020-10-08", "2020-10-13"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("traded", "settles"), WORKED)
def test_a_trade_settles_on_a_session_on_which_banks_are_open(traded: str, settles: str) -> None:
    assert str(sessions().settlement_day(date.fromisoformat(traded))) == settles


# Month and day on weekdays, as the Federal Reserve lists them: one on a Saturday is kept on no
# other day, which calendars of the federal government's own offices get wrong here.
HOLIDAYS = {
    2020: "1-1 1-20 2-17 5-25 9-7 10-12 11-11 11-26 12-25",
    2021: "1-1 1-18 2-15 5-31 7-5 9-6 10-11 11-11 11-25",
    2022: "1-17 2-21 5-30 6-20 7-4 9-5 10-10 11-11 11-24 12-26",
    2023: "1-2 1-16 2-20 5-29 6-19 7-4 9-4 10-9 11-23 12-25",
    2024: "1-1 1-15 2-19 5-27 6-19 7-4 9-2 10-14 11-11 11-28 12-25",
    2025: "1-1 1-20 2-17 5-26 6-19 7-4 9-1 10-13 11-11 11-27 12-25",
    2026: "1-1 1-19 2-16 5-25 6-19 9-7 10-12 11-11 11-26 12-25",
    2027: "1-1 1-18 2-15 5-31 7-5 9-6 10-11 11-11 11-25",
    2028: "1-17 2-21 5-29 6-19 7-4 9-4 10-9 11-23 12-25",
    2029: "1-1 1-15 2-19 5-28 6-19 7-4 9-3 10-8 11-12 11-22 12-25",
    2030: "1-1 1-21 2-18 5-27 6-19 7-4 9-2 10-14 11-11 11-28 12-25",
}


@pytest.mark.parametrize("year", HOLIDAYS)
def test_banks_keep_the_holidays_that_the_federal_reserve_lists(year: int) -> None:
    listed = {date(year, *map(int, day.split("-"))) for day in HOLIDAYS[year].split()}
    assert {day for day in fed_holidays(year) if day.weekday() < 5} == listed


@pytest.mark.django_db
def test_an_override_beats_both_calendars_from_the_next_question_on() -> None:
    thursday, friday = date(2026, 3, 19), date(2026, 3, 20)
    assert sessions().settlement_day(thursday) == friday
    strike = SettlementOverride.objects.create(date=friday, settles=False, reason="A strike")
    SettlementOverride.objects.create(date=date(2026, 3, 21), settles=True, reason="Made up for")
    assert sessions().settlement_day(thursday) == date(2026, 3, 21)
    assert sessions().is_session(friday)
    strike.delete()
    assert sessions().settlement_day(thursday) == friday
    SessionOverride.objects.create(date=friday, is_closed=True, reason="A storm")
    assert sessions().settlement_day(thursday) == date(2026, 3, 21)


@pytest.mark.django_db
def test_the_database_keeps_what_the_published_calendars_say(django_db_setup: Any) -> None:
    SettlementOverride.objects.create(date=date(2026, 3, 20), settles=False, reason="A strike")
    with connection.cursor() as cursor:
        cursor.execute("SELECT trade_date, settles_on FROM prices_settlementday ORDER BY 1")
        kept = dict(cursor.fetchall())
    calendar = published_calendar()
    assert (min(kept), max(kept)) == (date(1970, 1, 1), date(2070, 12, 30))
    for n in range(0, 15_000, 7):
        day = date(2010, 1, 1) + timedelta(n)
        assert kept[day] == settlement_day(day, calendar, {})
