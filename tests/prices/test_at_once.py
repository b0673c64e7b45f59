"""Two at once, on connections of their own, with real commits."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from prices.closes.fetch import closes_fetch, closes_work
from prices.models import Close, CloseRun, Instrument, PriceOverride, Quote
from prices.quotes.refresh import quotes_refresh, quotes_take
from prices.services.overrides import override_set
from prices.sessions.calendar import published_calendar
from prices.sources import SourceClose, SourceQuote
from tests.at_once import at_once
from tests.yahoo.market import Market
from tests.yahoo.server import Asked, YahooServer


@pytest.fixture
def instruments(committed_db: object) -> list[Instrument]:
    return Instrument.objects.bulk_create(
        Instrument(ticker=f"T{n}", yahoo_symbol=f"T{n}", indices=["S&P 500"]) for n in range(50)
    )


def test_two_fetches_write_each_close_once(instruments: list[Instrument], now: datetime) -> None:
    counts = at_once(*[lambda: closes_fetch(now=now)] * 4)
    assert sum(c for c in counts if isinstance(c, int)) == 250, counts
    assert Close.objects.count() == 250


def test_refreshes_at_once_do_not_lock_each_other_out(
    instruments: list[Instrument], now: datetime
) -> None:
    counts = at_once(*[lambda: quotes_refresh(now=now)] * 6)
    assert all(isinstance(count, int) for count in counts), counts
    assert Quote.objects.count() == 50


class Backwards:
    """A source that answers in the opposite order."""

    name = "simulated"
    ticks_at_any_hour = True
    left_out: Mapping[str, str] = {}
    events = ()

    def __init__(self, *, backwards: bool) -> None:
        self._step = -1 if backwards else 1

    def quotes(self, instruments: Sequence[Instrument], *, now: datetime) -> list[SourceQuote]:
        return [SourceQuote(i.ticker, Decimal(1), now) for i in instruments][:: self._step]

    def closes(
        self, instruments: Sequence[Instrument], first: date, last: date, *, now: datetime
    ) -> list[SourceClose]:
        raise NotImplementedError


def test_the_order_of_answers_cannot_make_two_refreshes_deadlock(
    committed_db: object, now: datetime
) -> None:
    instruments = Instrument.objects.bulk_create(
        Instrument(ticker=f"T{n}", yahoo_symbol=f"T{n}") for n in range(1000)
    )

    def take(turn: int, *, backwards: bool) -> Callable[[], object]:
        moment = now + timedelta(seconds=2 * turn + backwards)
        return lambda: quotes_take(Backwards(backwards=backwards), instruments, now=moment)

    for turn in range(10):
        counts = at_once(take(turn, backwards=False), take(turn, backwards=True))
        assert all(isinstance(count, int) for count in counts), counts


def test_of_overrides_at_once_one_is_left(instruments: list[Instrument], now: datetime) -> None:
    user = User.objects.create_user("staff")

    def put(price: int) -> Callable[[], object]:
        return lambda: override_set(
            user=user, ticker="T1", price=Decimal(price), reason="Halted", now=now
        )

    results = at_once(*[put(price) for price in range(1, 6)])
    assert all(isinstance(result, PriceOverride) for result in results), results
    assert PriceOverride.objects.filter(ended_at=None).count() == 1


def test_each_session_that_is_due_is_taken_by_one(
    instruments: list[Instrument], now: datetime
) -> None:
    counts = at_once(*[lambda: closes_work(now=now)] * 6)
    assert sum(c for c in counts if isinstance(c, int)) == 5 * 50, counts
    assert set(CloseRun.objects.values_list("attempts", "state")) == {(1, "complete")}


def test_real_sources_are_asked_by_one_at_a_time(
    committed_db: object, yahoo_server: YahooServer, settings: Any
) -> None:
    """Six refreshes at the same moment; the server never has two requests at once."""
    settings.PRICE_SOURCE = "yahoo"
    calendar = published_calendar()
    days = {d: calendar.get(d) for d in calendar.between(date(2026, 1, 20), date(2026, 2, 3))}
    present = datetime(2026, 1, 30, 16, 0, tzinfo=UTC)
    Instrument.objects.create(ticker="IBM", yahoo_symbol="IBM", indices=["S&P 500"])
    yahoo_server.market = Market(["IBM"], {d: s for d, s in days.items() if s}, lambda: present)
    inside, most, lock = 0, 0, threading.Lock()

    def slow(asked: Asked) -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.05)
        with lock:
            inside -= 1

    yahoo_server.fault = slow
    counts = at_once(*[lambda: quotes_refresh(now=present)] * 6)
    assert counts.count(1) == 1
    assert most == 1
    assert yahoo_server.count("quote") == 6
    yahoo_server.reset()
