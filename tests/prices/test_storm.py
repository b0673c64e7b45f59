"""Trouble with Yahoo over hours: how often it is asked, what is shown meanwhile, and how it ends.
The clock is moved; yfinance and the requests are real."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from prices.closes.fetch import closes_work
from prices.current_marks import marks
from prices.health import coverage, price_problems, source_health
from prices.models import Close, CloseRun, Instrument, Quote, SourceFailure
from prices.quotes.refresh import quotes_refresh
from prices.sessions.calendar import published_calendar
from prices.sources import SourceUnavailable
from prices.sources.ask import FetchRunning, LeftAlone, ask, one_fetch
from tests.yahoo.market import Market
from tests.yahoo.server import TOO_MANY, Answer, Asked, YahooServer

pytestmark = pytest.mark.django_db

# A Friday, 11:00 in New York.
BEGINS = datetime(2026, 1, 30, 16, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Desk:
    """A system that refreshes each minute, with a clock that a test moves."""

    def __init__(self, server: YahooServer) -> None:
        self.now = BEGINS
        self.server = server
        calendar = published_calendar()
        days = {d: calendar.get(d) for d in calendar.between(date(2026, 1, 20), date(2026, 2, 3))}
        names = [f"T{n}" for n in range(150)]
        server.market = Market(names, {d: s for d, s in days.items() if s}, lambda: self.now)
        Instrument.objects.bulk_create(
            Instrument(ticker=name, yahoo_symbol=name, indices=["S&P 500"]) for name in names
        )

    def refresh(self) -> str:
        """One minute's refresh: `asked`, `failed` or `left alone`."""
        try:
            quotes_refresh(now=self.now)
        except LeftAlone:
            return "left alone"
        except SourceUnavailable:
            return "failed"
        return "asked"

    def run(self, minutes: int) -> list[str]:
        told = []
        for _ in range(minutes):
            told.append(self.refresh())
            self.now += MINUTE
        return told


@pytest.fixture
def desk(yahoo_server: YahooServer, settings: Any) -> Iterator[Desk]:
    settings.PRICE_SOURCE = "yahoo"
    settings.YAHOO_REQUESTS_PER_SECOND = 10_000
    yield Desk(yahoo_server)
    yahoo_server.reset()


def too_many(asked: Asked) -> Answer | None:
    return Answer(429, TOO_MANY) if asked.kind in ("quote", "chart", "crumb") else None


def test_in_a_storm_requests_fall_to_the_floor_and_it_recovers_by_itself(
    desk: Desk, settings: Any
) -> None:
    assert desk.run(5) == ["asked"] * 5
    assert desk.server.count("quote") == 10

    desk.server.fault = too_many
    desk.server.asked.clear()
    first_hour = desk.run(60)
    assert "asked" not in first_hour
    assert first_hour[0] == "failed"
    by_floor = 3600 / settings.PRICE_BACKOFF_MAX_SECONDS
    desk.server.asked.clear()
    second_hour = desk.run(60)
    assert 1 <= second_hour.count("failed") <= by_floor
    # Each time one address is asked for, which yfinance itself tries twice: no second chunk of
    # symbols, no chart each, nothing at all in between.
    assert desk.server.count("quote") == 2 * second_hour.count("failed")
    assert desk.server.count("chart") == 0

    found = coverage(desk.now)
    assert (found.stale, found.coverage) == (150, 0.0)
    assert all(mark.mark is not None and mark.stale for mark in marks(desk.now))
    answered = source_health()
    assert answered.failures == {"rate_limited": answered.failures_in_a_row}
    problems = price_problems(desk.now, found, answered, [])
    assert "150 of 150 are stale" in problems[0]
    assert "asked again at" in problems[1]

    desk.server.fault = lambda _: None
    desk.server.asked.clear()
    after = desk.run(30)
    begun = after.index("asked")
    # At most the longest pause and its jitter later; from then on as ever, nothing made up for.
    assert begun <= 1.2 * settings.PRICE_BACKOFF_MAX_SECONDS / 60 + 1
    assert after == ["left alone"] * begun + ["asked"] * (30 - begun)
    # (yfinance takes the words of a refused crumb for a crumb, and is refused once more.)
    assert desk.server.count("quote") <= 2 * (30 - begun) + 1
    assert coverage(desk.now - MINUTE).coverage == 1.0
    assert source_health().failures_in_a_row == 0


def test_retry_after_is_kept_to(desk: Desk) -> None:
    desk.server.fault = lambda asked: (
        Answer(429, TOO_MANY, {"Retry-After": "1200"}) if asked.kind == "quote" else None
    )
    assert desk.run(20) == ["failed", *["left alone"] * 19]
    desk.server.fault = lambda _: None
    desk.now += timedelta(seconds=1)  # the pause counts from the answer, not from the question
    assert desk.refresh() == "asked"


def test_what_came_before_the_limit_is_kept(desk: Desk) -> None:
    desk.server.fault = lambda asked: (
        Answer(429, TOO_MANY) if asked.kind == "quote" and "T99" in asked.symbols else None
    )
    assert desk.refresh() == "failed"
    assert Quote.objects.count() == 75


def test_charts_are_kept_some_at_a_time(
    desk: Desk, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where many at once are refused, a refresh takes minutes: what came is kept, and told of,
    meanwhile."""
    monkeypatch.setattr("prices.quotes.refresh.AT_ONCE", 4)
    Instrument.objects.exclude(ticker__in=[f"T{n}" for n in range(9)]).delete()
    desk.server.fault = lambda asked: Answer(401, b"{}") if asked.kind == "quote" else None
    with django_capture_on_commit_callbacks() as told:
        assert desk.refresh() == "asked"
    assert Quote.objects.count() == 9
    assert len(told) == 3


def test_one_chart_that_breaks_stops_no_quote_of_another(desk: Desk) -> None:
    Instrument.objects.exclude(ticker__in=[f"T{n}" for n in range(9)]).delete()
    broken = Answer(200, b'{"chart": {"res')
    desk.server.fault = lambda asked: (
        Answer(401, b"{}")
        if asked.kind == "quote"
        else broken
        if asked.symbols == ("T2",)
        else None
    )
    assert desk.refresh() == "failed"
    assert Quote.objects.count() == 8
    assert source_health().retry_at is None


def test_a_refresh_that_waits_for_its_turn_takes_what_traded_meanwhile(
    desk: Desk, cluster: Any
) -> None:
    """The clock of its beginning would take that for nonsense."""
    from psycopg import connect

    begun = time.monotonic()
    begins = desk.now
    desk.server.market.clock = lambda: begins + timedelta(seconds=time.monotonic() - begun)  # type: ignore[union-attr]
    with connect(cluster.url("runtime"), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(7205012)")
        release = threading.Timer(7, other.execute, ["SELECT pg_advisory_unlock(7205012)"])
        release.start()
        assert desk.refresh() == "asked"
        release.join()
    assert Quote.objects.filter(as_of__gt=begins + timedelta(seconds=5)).count() == 150


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(500, b"oops"), "server_error"),
        (Answer(200, b'{"quoteRes'), "malformed"),
        (Answer(200, b"{}", cut_at=1), "network"),
    ],
)
def test_every_trouble_leaves_the_last_price_and_is_counted(
    desk: Desk, answer: Answer, kind: str
) -> None:
    desk.run(1)
    before = set(Quote.objects.values_list("price", flat=True))
    desk.server.fault = lambda asked: answer if asked.kind == "quote" else None
    desk.run(10)
    assert set(Quote.objects.values_list("price", flat=True)) == before
    counted = SourceFailure.objects.get(kind=kind).count
    assert 3 <= counted <= 5  # 45 s, 90 s, 3 min, 6 min …


def test_one_symbol_that_breaks_holds_up_no_close_of_another(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in its own group of symbols nor in the next; and Yahoo is not left alone for it."""
    monkeypatch.setattr("prices.closes.fetch.AT_ONCE", 4)
    Instrument.objects.exclude(ticker__in=[f"T{n}" for n in range(10)]).delete()
    broken = Answer(200, b'{"chart": {"res')
    desk.server.fault = lambda asked: broken if asked.symbols == ("T2",) else None
    with pytest.raises(SourceUnavailable, match="JSONDecodeError"):
        closes_work(now=desk.now)
    lacking = Instrument.objects.exclude(pk__in=Close.objects.values("instrument"))
    assert [instrument.ticker for instrument in lacking] == ["T2"]
    assert Close.objects.count() == 9 * 5
    assert set(CloseRun.objects.values_list("missing", "state")) == {(1, "pending")}
    assert source_health().failures == {"malformed": 1}
    assert desk.refresh() == "asked"


def test_one_that_breaks_in_what_is_missing_spends_no_reading_of_the_others(desk: Desk) -> None:
    """Thursday's closes lack one, which breaks; Wednesday's have their last reading then."""
    Instrument.objects.exclude(ticker__in=[f"T{n}" for n in range(4)]).delete()
    closes_work(now=desk.now)
    moved, (wednesday, thursday) = desk.server.market, (date(2026, 1, 28), date(2026, 1, 29))
    assert moved is not None
    moved.closes[("T1", wednesday)] = 190.5
    Instrument.objects.create(ticker="T9", yahoo_symbol="T9", indices=["S&P 500"])
    late = CloseRun.objects.exclude(session=wednesday)
    late.update(last_attempt_at=desk.now - MINUTE * 10, next_attempt_at=None)
    CloseRun.objects.filter(session=wednesday).update(next_attempt_at=desk.now)
    broken = Answer(200, b'{"chart": {"res')
    desk.server.fault = lambda asked: broken if asked.symbols == ("T9",) else None
    with pytest.raises(SourceUnavailable):
        closes_work(now=desk.now)
    latest = Close.objects.filter(instrument__ticker="T1", session=wednesday).latest("id")
    assert latest.close == Decimal("190.50")
    assert CloseRun.objects.get(session=wednesday).reread_at == desk.now
    assert CloseRun.objects.get(session=thursday).missing == 1


def test_two_never_ask_at_once(desk: Desk, cluster: Any) -> None:
    from psycopg import connect

    with connect(cluster.url("runtime"), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(7205012)")
        with pytest.raises(FetchRunning), one_fetch(wait_seconds=0.2):
            raise AssertionError
        other.execute("SELECT pg_advisory_unlock(7205012)")
        with one_fetch():
            row = other.execute("SELECT pg_try_advisory_lock(7205012)").fetchone()
            assert row == (False,)
        row = other.execute("SELECT pg_try_advisory_lock(7205012)").fetchone()
        assert row == (True,)


def test_a_fetch_that_breaks_gives_the_right_to_ask_back(desk: Desk) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), one_fetch(wait_seconds=0):
            raise ZeroDivisionError


def test_simulated_prices_are_never_left_alone(settings: Any) -> None:
    settings.PRICE_SOURCE = "simulated"
    from prices.sources import source

    assert ask(source(), lambda: 5, now=BEGINS) == 5
    assert source_health().last_success_at is None
