"""Refreshing quotes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from prices.hooks import instruments_needed
from prices.models import Instrument, Quote
from prices.quotes.refresh import quotes_refresh, ticks_take

pytestmark = pytest.mark.django_db

SATURDAY = datetime(2026, 1, 31, 16, 0, tzinfo=UTC)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was published; the real thing needs a Redis."""
    sent: list[Any] = []
    monkeypatch.setattr("prices.notify.publish", sent.extend)
    return sent


def replay(price_file: Callable[[str], Path], *rows: tuple[datetime, str]) -> None:
    lines = [f"IBM,{moment.isoformat()},{price}" for moment, price in rows]
    price_file("\n".join(["ticker,as_of,price", *lines]))


def test_simulated_quotes_come_at_any_hour(ibm: Instrument, aapl: Instrument) -> None:
    assert quotes_refresh(now=SATURDAY) == 2
    quote = Quote.objects.get(instrument=ibm)
    assert quote.source == "simulated"
    assert SATURDAY - timedelta(seconds=40) < quote.as_of <= SATURDAY


def test_a_second_refresh_at_the_same_time_changes_nothing(ibm: Instrument) -> None:
    assert quotes_refresh(now=SATURDAY) == 1
    assert quotes_refresh(now=SATURDAY) == 0


def test_only_newer_quotes_count(
    ibm: Instrument, now: datetime, price_file: Callable[[str], Path]
) -> None:
    earlier = now - timedelta(minutes=1)
    replay(price_file, (now, "144.10"))
    assert quotes_refresh(now=now) == 1
    replay(price_file, (earlier, "999"))
    assert quotes_refresh(now=now) == 0
    replay(price_file, (now, "999"))
    assert quotes_refresh(now=now) == 0
    quote = Quote.objects.get()
    assert (quote.price, quote.as_of) == (Decimal("144.10"), now)


def test_a_real_source_is_not_asked_while_the_exchange_is_closed(
    ibm: Instrument, now: datetime, price_file: Callable[[str], Path]
) -> None:
    replay(price_file, (now, "144.10"))
    assert quotes_refresh(now=SATURDAY) == 0
    assert not Quote.objects.exists()


def test_ticks_are_for_simulated_prices_only(
    ibm: Instrument, now: datetime, price_file: Callable[[str], Path]
) -> None:
    assert ticks_take(now=now) == 1
    replay(price_file, (now, "144.10"))
    assert ticks_take(now=now) == 0
    assert not Quote.objects.filter(source="csv").exists()


def test_sources_keep_quotes_of_their_own(
    ibm: Instrument, now: datetime, price_file: Callable[[str], Path]
) -> None:
    quotes_refresh(now=now)
    replay(price_file, (now, "144.10"))
    quotes_refresh(now=now)
    assert set(Quote.objects.values_list("source", flat=True)) == {"simulated", "csv"}


def test_listed_and_needed_instruments_are_priced(
    now: datetime, make_instrument: Callable[..., Instrument]
) -> None:
    make_instrument("IN")
    make_instrument("OFF", is_active=False)
    make_instrument("LEFT", indices=[])
    held = make_instrument("HELD", indices=[], is_active=False)
    with instruments_needed.only(lambda others, now: {held.pk} & set(others)):
        quotes_refresh(now=now)
    tickers = Quote.objects.order_by("instrument__ticker").values_list(
        "instrument__ticker", flat=True
    )
    assert list(tickers) == ["HELD", "IN"]


def test_what_changed_is_published_after_commit(
    ibm: Instrument,
    aapl: Instrument,
    published: list[Any],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        quotes_refresh(now=SATURDAY)
        assert published == []
    assert len(callbacks) == 1
    assert published == [("quotes", {"type": "quotes", "instruments": sorted([ibm.pk, aapl.pk])})]
    with django_capture_on_commit_callbacks(execute=True):
        quotes_refresh(now=SATURDAY)
    assert len(published) == 1


def test_who_watches_is_told_when_a_price_turns_stale_though_nothing_changed(
    ibm: Instrument,
    now: datetime,
    price_file: Callable[[str], Path],
    published: list[Any],
    django_capture_on_commit_callbacks: Any,
    settings: Any,
) -> None:
    replay(price_file, (now, "144.10"))
    quotes_refresh(now=now)
    told = []
    for minutes in range(1, 8):
        published.clear()
        with django_capture_on_commit_callbacks(execute=True):
            quotes_refresh(now=now + timedelta(minutes=minutes, seconds=5))
        told.append(bool(published))
    assert settings.PRICE_STALE_AFTER_SECONDS == 180
    # Stale from 3:00 on: told at the next refresh, and twice more in case one is lost.
    assert told == [False, False, True, True, True, False, False]
