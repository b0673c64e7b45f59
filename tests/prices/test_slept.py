"""Sessions that nobody asked for closes of: whoever wakes up first fills them, however many."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kernel.clock import NEW_YORK
from prices.closes.fetch import closes_recover, closes_work
from prices.closes.read import ClosesState, closes_state
from prices.health import closes_health, coverage, price_problems, source_health
from prices.models import CARRIED, Close, CloseRun, Instrument
from prices.sessions.calendar import published_calendar
from prices.sources import SourceUnavailable
from prices.sources.ask import FetchRunning
from tests.yahoo.market import Market
from tests.yahoo.server import TOO_MANY, Answer, YahooServer

pytestmark = pytest.mark.django_db

HEADER = "ticker,session,close"
BEFORE = date(2026, 1, 7)
# 15 sessions and a holiday; then it is Friday, 09:00 in New York.
DAYS = list(published_calendar().between(date(2026, 1, 8), date(2026, 1, 29)))
WAKES = datetime(2026, 1, 30, 9, 0, tzinfo=NEW_YORK).astimezone(UTC)
LATER = timedelta(minutes=10)
Write = Callable[[str], Path]


@pytest.fixture
def slept(ibm: Instrument, aapl: Instrument, price_file: Write) -> Write:
    """The session before was complete. The function says what the file has."""
    CloseRun.objects.create(
        session=BEFORE, source="csv", state=CloseRun.State.COMPLETE, settled_at=WAKES
    )

    def write(rows: str) -> Path:
        return price_file(f"{HEADER}\n{rows}")

    write("")
    return write


def all_of(*tickers: str) -> str:
    return "".join(f"{ticker},{day},143\n" for ticker in tickers for day in DAYS)


def states() -> set[ClosesState]:
    return {closes_state(day, WAKES) for day in DAYS}


def test_they_are_pending_until_they_were_asked_for(slept: Write) -> None:
    assert len(DAYS) == 15
    assert states() == {ClosesState.PENDING}
    assert closes_state(BEFORE - timedelta(days=1), WAKES) == ClosesState.OVER
    CloseRun.objects.create(session=DAYS[0], source="csv", next_attempt_at=WAKES)
    assert closes_state(DAYS[0], WAKES) == ClosesState.PENDING


def test_beat_alone_fills_them(slept: Write) -> None:
    slept(all_of("IBM", "AAPL"))
    assert closes_work(now=WAKES) == 30
    assert states() == {ClosesState.COMPLETE}
    assert closes_work(now=WAKES) == 0


def test_people_are_told_of_them_until_they_are_filled(slept: Write) -> None:
    """Also of those before the last five, which alone are listed."""

    def told() -> list[str]:
        found = price_problems(WAKES, coverage(WAKES), source_health(), closes_health(WAKES))
        return [problem for problem in found if "still to be asked for" in problem]

    [said] = told()
    assert said.startswith(
        f"Closes of {len(DAYS) - 5} earlier sessions, {DAYS[0]} to {DAYS[-6]}, are still"
    )
    slept(all_of("IBM", "AAPL"))
    CloseRun.objects.bulk_create(
        CloseRun(session=day, source="csv", state="complete", settled_at=WAKES)
        for day in DAYS[1:-5]
    )
    [said] = told()
    assert said.startswith(f"Closes of {DAYS[0]} are still to be asked for; run manage.py prices")
    closes_recover(now=WAKES)
    assert told() == []


def test_recover_fills_them_though_the_last_sessions_are_complete(slept: Write) -> None:
    """Those before are found wherever they lie."""
    slept(all_of("IBM", "AAPL"))
    CloseRun.objects.bulk_create(
        CloseRun(session=day, source="csv", state="complete", settled_at=WAKES)
        for day in [DAYS[4], *DAYS[-5:]]
    )
    filled = closes_recover(now=WAKES)
    assert (list(filled.days), filled.missing) == ([*DAYS[:4], *DAYS[5:]], 0)
    assert states() == {ClosesState.COMPLETE}


def test_recover_asks_again_for_what_was_carried_long_ago(slept: Write) -> None:
    slept(all_of("IBM"))
    closes_recover(now=WAKES)
    assert closes_state(DAYS[0], WAKES) == ClosesState.OVER
    slept(all_of("IBM", "AAPL"))
    assert closes_work(now=WAKES + LATER) == 5  # by itself only for the last five
    assert closes_recover(now=WAKES + LATER).new == 10
    assert states() == {ClosesState.COMPLETE}


def test_a_recovery_that_fails_carries_nothing_and_is_gone_on_with(slept: Write) -> None:
    slept("no prices at all\n1,2\n")
    with pytest.raises(SourceUnavailable):
        closes_recover(now=WAKES)
    assert states() == {ClosesState.PENDING}
    assert not Close.objects.filter(source=CARRIED).exists()
    slept(all_of("IBM", "AAPL"))
    assert closes_work(now=WAKES + LATER) == 30
    assert states() == {ClosesState.COMPLETE}


def test_a_source_that_is_away_for_hours_costs_them_nothing(slept: Write) -> None:
    """The last five are carried after their retries, as ever, and filled when it is back."""
    slept("no prices at all\n1,2\n")
    for minutes in range(0, 360, 10):
        with suppress(SourceUnavailable):
            closes_work(now=WAKES + timedelta(minutes=minutes))
    assert {closes_state(day, WAKES) for day in DAYS[:-5]} == {ClosesState.PENDING}
    slept(all_of("IBM", "AAPL"))
    assert closes_work(now=WAKES + timedelta(minutes=370)) == 30
    assert states() == {ClosesState.COMPLETE}


def test_what_the_source_lacks_is_carried_after_its_retries(slept: Write) -> None:
    slept("AAPL,2026-01-07,195\n" + all_of("IBM"))
    for minutes in range(61):
        assert closes_state(DAYS[0], WAKES) == ClosesState.PENDING or minutes > 50
        closes_work(now=WAKES + timedelta(minutes=minutes))
    assert closes_state(DAYS[0], WAKES) == ClosesState.OVER
    run = CloseRun.objects.get(session=DAYS[0])
    assert (run.attempts, run.missing) == (6, 1)


# --- Yahoo, one who asks at a time ----------------------------------------------------------------


@pytest.fixture
def yahoo(yahoo_server: YahooServer, committed_db: object, settings: Any) -> Iterator[YahooServer]:
    settings.PRICE_SOURCE = "yahoo"
    settings.YAHOO_REQUESTS_PER_SECOND = 10_000
    calendar = published_calendar()
    days = {d: calendar.get(d) for d in calendar.between(date(2026, 1, 2), date(2026, 1, 30))}
    names = [f"T{n}" for n in range(6)]
    yahoo_server.market = Market(names, {d: s for d, s in days.items() if s}, lambda: WAKES)
    Instrument.objects.bulk_create(
        Instrument(ticker=name, yahoo_symbol=name, indices=["S&P 500"]) for name in names
    )
    CloseRun.objects.create(session=BEFORE, source="yahoo", state="complete", settled_at=WAKES)
    yield yahoo_server
    yahoo_server.reset()


def test_a_rate_limit_in_the_first_call_of_a_recovery_costs_nothing(yahoo: YahooServer) -> None:
    yahoo.fault = lambda asked: Answer(429, TOO_MANY) if asked.kind == "chart" else None
    with pytest.raises(SourceUnavailable):
        closes_recover(now=WAKES)
    yahoo.fault = lambda _: None
    assert closes_work(now=WAKES) == 0  # left alone
    assert states() == {ClosesState.PENDING}
    assert closes_work(now=WAKES + LATER) == 6 * 15
    assert states() == {ClosesState.COMPLETE}
    assert not Close.objects.filter(source=CARRIED).exists()


def test_a_recovery_beside_somebody_who_asks_for_long_costs_nothing(
    yahoo: YahooServer, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from psycopg import connect

    monkeypatch.setattr("prices.closes.fetch.WAIT_SECONDS", 0.2)
    with connect(cluster.url("runtime"), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(7205012)")
        with pytest.raises(FetchRunning):
            closes_recover(now=WAKES)
        assert states() == {ClosesState.PENDING}
        attempts = set(CloseRun.objects.values_list("attempts", flat=True))
        with pytest.raises(FetchRunning):
            closes_work(now=WAKES + LATER)
        assert set(CloseRun.objects.values_list("attempts", flat=True)) == attempts
    assert closes_work(now=WAKES + LATER) == 6 * 15
    assert states() == {ClosesState.COMPLETE}


def test_between_two_calls_others_may_ask(
    yahoo: YahooServer, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The right to ask is held for some instruments at a time, and given up long enough for one
    who waits to see it."""
    from psycopg import connect

    monkeypatch.setattr("prices.closes.fetch.AT_ONCE", 2)
    had: list[bool] = []

    def slept(_: float) -> None:
        with connect(cluster.url("runtime"), autocommit=True) as other:
            row = other.execute("SELECT pg_try_advisory_lock(7205012)").fetchone()
            had.append(row == (True,))

    monkeypatch.setattr("prices.closes.fetch.sleep", slept)
    assert closes_work(now=WAKES) == 6 * 15
    assert had == [True, True]


def test_a_pause_counts_from_the_failure(yahoo: YahooServer, settings: Any) -> None:
    from prices.health import source_health

    yahoo.fault = lambda asked: (
        Answer(429, TOO_MANY, {"Retry-After": "600"}, hang=1.0) if asked.kind == "chart" else None
    )
    with pytest.raises(SourceUnavailable):
        closes_work(now=WAKES)
    retry_at = source_health().retry_at
    assert retry_at is not None
    assert retry_at >= WAKES + timedelta(seconds=601)


def test_carried_prices_are_the_last_ones(slept: Write) -> None:
    slept("AAPL,2026-01-08,195\n" + all_of("IBM"))
    closes_recover(now=WAKES)
    carried = Close.objects.filter(source=CARRIED, session=DAYS[1])
    assert [close.close for close in carried] == [Decimal(195)]
