"""The Yahoo source: yfinance as it is, against a Yahoo on loopback that answers as the real one."""

from datetime import timedelta
from decimal import Decimal

import pytest

from prices.sources import SourceQuote
from prices.sources.yahoo import CLOCK_MARGIN, YahooSource
from prices.sources.yfinance_client import YahooClient
from tests.prices.yahooing import (
    BRK,
    END,
    GONE,
    IBM,
    MANY,
    NOW,
    Moved,
    clock,
    market_of,
    only,
    source,
    yahoo,
)
from tests.yahoo.server import Answer, Asked, YahooServer

__all__ = ["clock", "source", "yahoo"]

pytestmark = pytest.mark.django_db


def test_quotes_come_with_the_time_of_their_trade(yahoo: YahooServer, source: YahooSource) -> None:
    market_of(yahoo).price = lambda symbol, _: {"BRK-B": 480.2049999, "IBM": 0.45125}[symbol]
    at = NOW.replace(microsecond=0)
    assert source.quotes([BRK, IBM, GONE], now=NOW + timedelta(seconds=2)) == [
        SourceQuote("BRK.B", Decimal("480.20"), at),
        SourceQuote("IBM", Decimal("0.4512"), at),
    ]


def test_a_few_requests_answer_for_all(yahoo: YahooServer, source: YahooSource) -> None:
    assert len(source.quotes(MANY, now=NOW)) == 250
    assert [len(asked.symbols) for asked in yahoo.data_requests()] == [100, 100, 50]


def test_a_symbol_without_a_price_is_missing_for_now(
    yahoo: YahooServer, source: YahooSource
) -> None:
    market_of(yahoo).silent = {"IBM"}
    assert [quote.ticker for quote in source.quotes([BRK, IBM], now=NOW)] == ["BRK.B"]


def test_a_quote_is_never_later_than_now(
    yahoo: YahooServer, source: YahooSource, clock: Moved
) -> None:
    """A second ahead is this host's clock; a minute ahead is nonsense."""
    clock.now = NOW + timedelta(seconds=1)
    assert [quote.as_of for quote in source.quotes([IBM], now=NOW)] == [NOW]
    clock.now = NOW + timedelta(seconds=60)
    assert source.quotes([IBM], now=NOW) == []


def slow(yahoo: YahooServer, clock: Moved) -> YahooSource:
    """A source each of whose requests takes 2 s, while the exchange trades on."""

    def wait(asked: Asked) -> None:
        clock.now += timedelta(seconds=2) if asked.kind in ("quote", "chart") else timedelta()

    yahoo.fault = wait
    client = YahooClient(per_second=1000, timeout=1)
    return YahooSource(client, monotonic=lambda: (clock.now - NOW).total_seconds())


def test_trades_made_while_it_is_asked_count(yahoo: YahooServer, clock: Moved) -> None:
    found = slow(yahoo, clock).quotes(MANY, now=NOW)
    assert len(found) == 250
    assert max(quote.as_of for quote in found) == clock.now > NOW + CLOCK_MARGIN


def test_bars_begun_while_charts_are_asked_for_count(yahoo: YahooServer, clock: Moved) -> None:
    source, waits = slow(yahoo, clock), yahoo.fault
    refused = Answer(401, b"{}")
    yahoo.fault = lambda asked: refused if asked.kind == "quote" else waits(asked)
    found = source.quotes(MANY[:40], now=NOW)
    assert found[0].as_of == NOW
    assert found[-1].as_of == NOW + timedelta(minutes=1)


def test_after_the_end_the_quote_is_of_the_end(
    yahoo: YahooServer, source: YahooSource, clock: Moved
) -> None:
    clock.now = END + timedelta(hours=5)
    [quote] = source.quotes([IBM], now=clock.now)
    assert quote.as_of == END + timedelta(seconds=1)


def test_charts_stand_in_where_quotes_are_refused(yahoo: YahooServer, source: YahooSource) -> None:
    yahoo.fault = only("quote", lambda _: Answer(401, b"{}"))
    market_of(yahoo).silent = {"IBM"}
    found = source.quotes([BRK, IBM, GONE], now=NOW + timedelta(seconds=30))
    assert [quote.ticker for quote in found] == ["BRK.B", "IBM"]
    # The last minute of a silent symbol is null: the minute before it counts.
    assert [quote.as_of for quote in found] == [NOW, NOW - timedelta(minutes=1)]
    exact = market_of(yahoo).price("BRK-B", NOW)
    assert found[0].price == round(Decimal(str(exact)), 2)
