"""Replay of a file."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from prices.models import Instrument
from prices.sources import SourceClose, SourceQuote, SourceUnavailable, source

NOW = datetime(2026, 2, 2, 15, 0, tzinfo=UTC)
IBM, AAPL = Instrument(ticker="IBM"), Instrument(ticker="AAPL")
BOTH = """ticker,session,close,as_of,price
IBM,2026-01-29,143.33,,
IBM,2026-01-30,144.00,,
AAPL,2026-01-29,195.61,,
IBM,,,2026-01-30T10:00:00-05:00,144.07
IBM,,,2026-01-30T10:01:00-05:00,144.10
"""


def at(minute: int) -> datetime:
    return datetime(2026, 1, 30, 15, minute, 30, tzinfo=UTC)


def test_quotes_are_the_latest_up_to_now(price_file: Callable[[str], Path]) -> None:
    price_file(BOTH)
    assert source().quotes([IBM, AAPL], now=at(0)) == [
        SourceQuote("IBM", Decimal("144.07"), at(0).replace(second=0))
    ]
    assert source().quotes([IBM], now=at(5))[0].price == Decimal("144.10")


def test_closes_by_range_and_ticker(price_file: Callable[[str], Path]) -> None:
    price_file(BOTH)
    day = date(2026, 1, 29)
    assert source().closes([IBM], day, day, now=NOW) == [SourceClose("IBM", day, Decimal("143.33"))]
    assert len(source().closes([IBM, AAPL], day, date(2026, 1, 30), now=NOW)) == 3


@pytest.mark.parametrize(
    "text",
    [
        "ticker,session,close\nIBM,2026-01-29,-1\n",
        "ticker,session,close\nIBM,yesterday,1\n",
        "ticker,as_of,price\nIBM,2026-01-30T10:00:00,1\n",
        "session,close\n2026-01-29,1\n",
        "ticker,price\nIBM,1\n",
    ],
)
def test_a_broken_file_is_unavailable_and_says_where(
    price_file: Callable[[str], Path], text: str
) -> None:
    price_file(text)
    with pytest.raises(SourceUnavailable, match=r"prices\.csv:2"):
        source().quotes([IBM], now=at(0))


def test_a_missing_file_is_unavailable(price_file: Callable[[str], Path]) -> None:
    price_file(BOTH).unlink()
    with pytest.raises(SourceUnavailable):
        source().quotes([IBM], now=at(0))
