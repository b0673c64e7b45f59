"""Helpers of tests of the Yahoo source: a Yahoo on loopback with a clock that a test moves."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest

from prices.models import Instrument
from prices.sessions.calendar import published_calendar
from prices.sources import SourceUnavailable
from prices.sources.yahoo import YahooSource
from prices.sources.yfinance_client import YahooClient
from tests.yahoo.market import Market
from tests.yahoo.server import Answer, Asked, YahooServer

# A Friday, 11:00 in New York; the session before is Thursday's.
NOW = datetime(2026, 1, 30, 16, 0, tzinfo=UTC)
END = datetime(2026, 1, 30, 21, 0, tzinfo=UTC)
WEDNESDAY, THURSDAY, FRIDAY = date(2026, 1, 28), date(2026, 1, 29), date(2026, 1, 30)
BRK = Instrument(ticker="BRK.B", yahoo_symbol="BRK-B")
IBM = Instrument(ticker="IBM", yahoo_symbol="IBM")
GONE = Instrument(ticker="GONE", yahoo_symbol="GONE")
MANY = [Instrument(ticker=f"T{n}", yahoo_symbol=f"T{n}") for n in range(250)]


class Moved:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Moved:
    return Moved()


@pytest.fixture
def yahoo(yahoo_server: YahooServer, clock: Moved) -> Iterator[YahooServer]:
    calendar = published_calendar()
    days = {d: calendar.get(d) for d in calendar.between(date(2026, 1, 20), date(2026, 2, 6))}
    symbols = ["IBM", "BRK-B", *(i.yahoo_symbol for i in MANY)]
    yahoo_server.market = Market(symbols, {d: s for d, s in days.items() if s}, clock)
    yield yahoo_server
    yahoo_server.reset()


@pytest.fixture
def source() -> YahooSource:
    """What it is asked is answered in no time."""
    return YahooSource(YahooClient(per_second=1000, timeout=1), monotonic=lambda: 0.0)


def only(kind: str, answer: Callable[[Asked], Answer | None]) -> Callable[[Asked], Answer | None]:
    return lambda asked: answer(asked) if asked.kind == kind else None


def market_of(server: YahooServer) -> Market:
    assert server.market is not None
    return server.market


def failure_of(call: Callable[[], object]) -> SourceUnavailable:
    with pytest.raises(SourceUnavailable) as raised:
        call()
    return raised.value
