"""What the Yahoo source makes of yfinance's frames; the download itself is the outer edge."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pandas
import pytest

from prices.models import Instrument
from prices.sources.base import SourceClose, SourceQuote, SourceUnavailable
from prices.sources.yahoo import YahooSource

BRK = Instrument(ticker="BRK.B", yahoo_symbol="BRK-B")
IBM = Instrument(ticker="IBM", yahoo_symbol="IBM")
GONE = Instrument(ticker="GONE", yahoo_symbol="GONE")
NAN = float("nan")


def frame(stamps: list[Any], **closes: list[float]) -> Any:
    columns = {(symbol.replace("_", "-"), "Close"): prices for symbol, prices in closes.items()}
    return pandas.DataFrame(columns, index=pandas.DatetimeIndex(stamps))


@pytest.fixture
def download(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Answer of the next download, and what was asked for."""
    import yfinance

    seen: dict[str, Any] = {}

    def answer(symbols: list[str], **wanted: Any) -> Any:
        seen.update(wanted, symbols=symbols)
        if isinstance(seen["answer"], Exception):
            raise seen["answer"]
        return seen["answer"]

    monkeypatch.setattr(yfinance, "download", answer)
    return seen


def test_quotes_take_the_last_price_before_a_tail_of_nan(download: dict[str, Any]) -> None:
    stamps = pandas.to_datetime(
        ["2026-01-30T15:00Z", "2026-01-30T15:01Z", "2026-01-30T15:02Z"], utc=True
    ).tz_convert("America/New_York")
    download["answer"] = frame(list(stamps), BRK_B=[480.101, 480.2049999, NAN], IBM=[NAN, NAN, NAN])
    now = datetime(2026, 1, 30, 15, 5, tzinfo=UTC)
    assert YahooSource().quotes([BRK, IBM, GONE], now=now) == [
        SourceQuote("BRK.B", Decimal("480.20"), datetime(2026, 1, 30, 15, 1, tzinfo=UTC))
    ]
    assert download["symbols"] == ["BRK-B", "IBM", "GONE"]
    assert download["auto_adjust"] is False


def test_closes_keep_their_date_and_their_range(download: dict[str, Any]) -> None:
    download["answer"] = frame(["2026-01-28", "2026-01-29", "2026-01-30"], IBM=[143.0, 143.33, NAN])
    assert YahooSource().closes([IBM], date(2026, 1, 29), date(2026, 1, 30)) == [
        SourceClose("IBM", date(2026, 1, 29), Decimal("143.33"))
    ]
    assert (download["start"], download["end"]) == ("2026-01-29", "2026-01-31")


def test_a_failure_is_unavailable(download: dict[str, Any]) -> None:
    download["answer"] = ConnectionError("429")
    with pytest.raises(SourceUnavailable, match="429"):
        YahooSource().quotes([IBM], now=datetime(2026, 1, 30, tzinfo=UTC))


def test_an_empty_answer_is_no_price(download: dict[str, Any]) -> None:
    download["answer"] = pandas.DataFrame()
    assert YahooSource().closes([IBM], date(2026, 1, 29), date(2026, 1, 29)) == []
