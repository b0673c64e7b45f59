"""Simulated trading weeks: the clock is moved minute by minute, Yahoo is on loopback, yfinance and
all requests are real. What beat asks for each minute is asked for at five seconds past it; to be
quick, only every tenth minute is lived through in the middle of a session, and closes are looked
for only then while the exchange is open."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from kernel.clock import NEW_YORK
from prices.closes.effective_close import effective_closes
from prices.closes.fetch import closes_recover, closes_work
from prices.closes.read import ClosesState, closes_state
from prices.models import CARRIED, Close, CloseRun, Instrument, Quote, SessionOverride
from prices.quotes.refresh import quotes_refresh
from prices.sessions import sessions
from prices.sessions.calendar import Session, published_calendar
from prices.sources import SourceUnavailable
from tests.yahoo.market import Market
from tests.yahoo.server import Answer, YahooServer

MINUTE = timedelta(minutes=1)
NAMES = ("IBM", "AAPL")


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, 5, tzinfo=NEW_YORK).astimezone(UTC)


class Desk:
    """A system whose beat ticks each minute. `refreshes` and `asked` (session, when its closes
    were asked for) are kept in New York's words."""

    def __init__(self, server: YahooServer, first: date, last: date) -> None:
        self.server = server
        self.now = at(first, 0)
        calendar = published_calendar()
        found = {d: calendar.get(d) for d in calendar.between(first - timedelta(days=14), last)}
        self.sessions: dict[date, Session] = {d: s for d, s in found.items() if s}
        self.market = Market(NAMES, self.sessions, lambda: self.now)
        server.market = self.market
        self.refreshes: list[datetime] = []
        self.asked: list[tuple[date, str]] = []
        Instrument.objects.bulk_create(
            Instrument(ticker=name, yahoo_symbol=name, indices=["S&P 500"]) for name in NAMES
        )

    def tick(self, now: datetime) -> None:
        self.now = now
        before = dict(CloseRun.objects.values_list("session", "attempts"))
        self.server.asked.clear()
        works = [quotes_refresh]
        if now.minute % 10 == 0 or not sessions().is_open(now):
            works.append(closes_work)
        for work in works:
            with suppress(SourceUnavailable):
                work(now=now)
            if work is quotes_refresh and self.server.count("quote"):
                self.refreshes.append(now)
        for session, attempts in CloseRun.objects.values_list("session", "attempts"):
            if attempts > before.get(session, 0):
                self.asked.append((session, f"{now.astimezone(NEW_YORK):%a %H:%M}"))

    def live(self, first: datetime, last: datetime, *, step: timedelta = MINUTE) -> None:
        now = first
        while now <= last:
            self.tick(now)
            now += step

    def day(self, day: date) -> None:
        """A whole day, minute by minute where something may happen, else each half hour."""
        self.live(at(day, 0), at(day, 7, 30), step=30 * MINUTE)
        self.live(at(day, 7, 59), at(day, 8, 1))
        self.live(at(day, 8, 30), at(day, 9, 0), step=30 * MINUTE)
        closes = self.sessions[day].closes + timedelta(seconds=5)
        self.live(at(day, 9, 28), at(day, 9, 49))
        self.live(at(day, 9, 50), closes - 21 * MINUTE, step=10 * MINUTE)
        self.live(closes - 20 * MINUTE, closes + 12 * MINUTE)
        self.live(closes + 30 * MINUTE, at(day, 23, 30), step=30 * MINUTE)
        self.live(at(day, 23, 49), at(day, 23, 51))

    def refreshed(self, day: date) -> list[str]:
        local = [moment.astimezone(NEW_YORK) for moment in self.refreshes]
        return [f"{moment:%H:%M}" for moment in local if moment.date() == day]

    def asked_for(self, session: date) -> list[str]:
        return [when for day, when in self.asked if day == session]

    def official(self, session: date) -> set[tuple[str, Decimal]]:
        """What Yahoo says the closes are."""
        return {
            (name, round(Decimal(str(self.market.close_of(name, session))), 2)) for name in NAMES
        }


def counting(session: date) -> set[tuple[str, Decimal]]:
    ids = Instrument.objects.values_list("pk", flat=True)
    return {
        (close.instrument.ticker, close.close)
        for close in effective_closes(ids, session, session)
        if close.source != CARRIED
    }


@pytest.fixture
def yahoo(yahoo_server: YahooServer, committed_db: object, settings: Any) -> Iterator[YahooServer]:
    """In no transaction: a week in one would be ended by its timeout."""
    settings.PRICE_SOURCE = "yahoo"
    settings.YAHOO_REQUESTS_PER_SECOND = 10_000
    yield yahoo_server
    yahoo_server.reset()


def every(first: str, last: str, step: timedelta = MINUTE) -> list[str]:
    begin, end = (datetime.strptime(text, "%H:%M") for text in (first, last))  # noqa: DTZ007
    return [f"{begin + n * step:%H:%M}" for n in range(int((end - begin) / step) + 1)]


def test_a_week_with_a_closure_a_holiday_and_a_half_day(yahoo: YahooServer) -> None:
    """Thanksgiving's week: open, closed without notice, open, holiday, half day."""
    monday, tuesday, wednesday, thursday, friday = (date(2026, 11, n) for n in range(23, 28))
    weekend, next_monday = [date(2026, 11, 28), date(2026, 11, 29)], date(2026, 11, 30)
    desk = Desk(yahoo, monday, next_monday)
    SessionOverride.objects.create(date=tuesday, is_closed=True, reason="Mourning")
    desk.sessions.pop(tuesday)
    desk.day(monday)
    desk.live(at(tuesday, 0), at(tuesday, 23, 30), step=30 * MINUTE)
    desk.live(at(wednesday, 0), at(wednesday, 9, 0), step=30 * MINUTE)
    desk.live(at(wednesday, 9, 28), at(wednesday, 9, 32))
    desk.live(at(wednesday, 15, 58), at(wednesday, 16, 12))
    desk.live(at(wednesday, 23, 49), at(wednesday, 23, 51))
    desk.live(at(thursday, 0), at(thursday, 23, 30), step=30 * MINUTE)
    desk.day(friday)
    desk.live(at(weekend[0], 0), at(weekend[1], 23), step=60 * MINUTE)
    desk.live(at(next_monday, 7, 58), at(next_monday, 8, 2))

    assert desk.refreshed(monday) == [
        *every("09:30", "09:49"),
        *every("09:50", "15:30", 10 * MINUTE),
        *every("15:40", "15:59"),
    ]
    # Of Wednesday only the ends were lived through.
    assert desk.refreshed(wednesday) == ["09:30", "09:31", "09:32", "15:58", "15:59"]
    assert desk.refreshed(friday) == [
        *every("09:30", "09:49"),
        *every("09:50", "12:30", 10 * MINUTE),
        *every("12:40", "12:59"),
    ]
    for quiet in (tuesday, thursday, *weekend, next_monday):
        assert desk.refreshed(quiet) == []
    assert len(desk.refreshes) == 75 + 5 + 57

    # At the end, at 23:50, and in the morning of the next session, whenever that is.
    assert desk.asked_for(monday) == ["Mon 16:00", "Mon 23:50", "Wed 08:00"]
    assert desk.asked_for(wednesday) == ["Wed 16:00", "Wed 23:50", "Fri 08:00"]
    assert desk.asked_for(friday) == ["Fri 13:00", "Fri 23:50", "Mon 08:00"]
    assert not Close.objects.filter(session__in=[tuesday, thursday, *weekend]).exists()
    for session in (monday, wednesday, friday):
        assert counting(session) == desk.official(session)
        run = CloseRun.objects.get(session=session)
        assert run.settled_at == at(session, 13 if session == friday else 16)


@pytest.mark.parametrize(
    ("friday", "opens"), [(date(2026, 10, 30), (13, 14)), (date(2026, 3, 6), (14, 13))]
)
def test_the_clocks_change_over_a_weekend(
    yahoo: YahooServer, friday: date, opens: tuple[int, int]
) -> None:
    """In November the exchange opens an hour later in UTC on Monday than on Friday; in March an
    hour earlier."""
    monday = friday + timedelta(days=3)
    desk = Desk(yahoo, friday, monday)
    for day in (friday, monday):
        desk.live(at(day, 9, 28), at(day, 9, 31))
        desk.live(at(day, 15, 58), at(day, 16, 1))
    assert [f"{moment:%a %H:%M}" for moment in desk.refreshes] == [
        f"{name} {hour + add:02}:{minute}"
        for name, hour in zip(("Fri", "Mon"), opens, strict=True)
        for add, minute in ((0, 30), (0, 31), (7 - 1, 58), (6, 59))
    ]
    assert desk.asked_for(friday)[0] == "Fri 16:00"
    assert desk.asked_for(monday) == ["Mon 16:00"]


def down(server: YahooServer) -> None:
    server.fault = lambda asked: Answer(503, b"down") if asked.kind in ("quote", "chart") else None


def up(server: YahooServer) -> None:
    server.fault = lambda _: None


def test_three_hours_without_yahoo_around_the_close(yahoo: YahooServer) -> None:
    monday, tuesday = date(2026, 2, 2), date(2026, 2, 3)
    desk = Desk(yahoo, monday, tuesday)
    desk.live(at(monday, 14, 55), at(monday, 14, 59))
    kept = Quote.objects.get(instrument__ticker="IBM")
    down(yahoo)
    desk.live(at(monday, 15, 0), at(monday, 17, 58), step=2 * MINUTE)
    assert Quote.objects.get(instrument__ticker="IBM").price == kept.price
    assert closes_state(monday, desk.now) == ClosesState.PENDING
    assert 1 <= len(desk.asked_for(monday)) <= 6
    up(yahoo)
    desk.live(at(monday, 18, 0), at(monday, 23, 40), step=20 * MINUTE)
    desk.live(at(monday, 23, 49), at(monday, 23, 51))
    assert closes_state(monday, desk.now) == ClosesState.COMPLETE
    assert counting(monday) == desk.official(monday)
    assert not Close.objects.filter(source=CARRIED).exists()


def test_three_days_without_yahoo(yahoo: YahooServer) -> None:
    week = [date(2026, 2, n) for n in range(2, 7)]
    desk = Desk(yahoo, week[0], week[-1])
    desk.live(at(week[0], 9, 0), at(week[0], 10, 0), step=10 * MINUTE)
    down(yahoo)
    desk.live(at(week[0], 10, 10), at(week[3], 9, 10), step=60 * MINUTE)
    missed = week[:3]
    for session in missed:
        assert closes_state(session, desk.now) == ClosesState.OVER
        assert counting(session) == set()
        assert Close.objects.filter(session=session, source=CARRIED).count() == 2
    up(yahoo)
    desk.live(at(week[3], 10, 0), at(week[3], 10, 40), step=10 * MINUTE)
    for session in missed:
        assert closes_state(session, desk.now) == ClosesState.COMPLETE
        assert counting(session) == desk.official(session)


def test_weeks_without_a_worker_are_recovered_at_its_start(yahoo: YahooServer) -> None:
    first, last = date(2026, 1, 5), date(2026, 2, 6)
    desk = Desk(yahoo, first, last)
    desk.live(at(first, 16, 0), at(first, 16, 0))
    slept: Sequence[date] = [d for d in desk.sessions if first < d < last]
    desk.now = at(last, 9, 0)
    filled = closes_recover(now=desk.now)
    assert list(filled.days) == slept
    assert (filled.new, filled.missing) == (2 * len(slept), 0)
    for session in slept:
        assert closes_state(session, desk.now) == ClosesState.COMPLETE
        assert counting(session) == desk.official(session)
    assert closes_recover(now=desk.now).new == 0
