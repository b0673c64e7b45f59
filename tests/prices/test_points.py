"""The day's prices for charts."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

import prices.quotes.series
from kernel.clock import clock_set
from prices.models import Instrument, PricePoint, Quote
from prices.quotes.points import points_record
from prices.tasks import refresh_quotes
from tests import factories

pytestmark = pytest.mark.django_db

# A Friday, 11:00 in New York; and a Saturday.
NOW = datetime(2026, 1, 30, 16, 0, tzinfo=UTC)
SATURDAY = NOW + timedelta(days=1)
SERIES = "/api/v1/prices/series/"
LINES = "/api/v1/prices/lines/"


def quote(instrument: Instrument, price: str, at: datetime, source: str = "simulated") -> None:
    Quote.objects.update_or_create(
        instrument=instrument, source=source, defaults={"price": price, "as_of": at}
    )


def series(**query: Any) -> Any:
    client = APIClient()
    client.force_authenticate(factories.make_user())
    with clock_set(NOW + timedelta(minutes=5)):
        return client.get(SERIES, query)


def test_the_first_price_of_each_minute_is_kept(ibm: Instrument) -> None:
    for seconds, price in ((10, "140"), (40, "141"), (70, "142"), (130, "143")):
        at = NOW + timedelta(seconds=seconds)
        quote(ibm, price, at)
        points_record(now=at + timedelta(seconds=1))
    factories.make_close(ibm, date(2026, 1, 29), "139.5")
    answer = series(ticker="IBM").json()
    assert answer == {
        "ticker": "IBM",
        "session": "2026-01-30",
        "previous_close": "139.5",
        "points": [
            {"at": "2026-01-30T16:00:00Z", "price": "140"},
            {"at": "2026-01-30T16:01:00Z", "price": "142"},
            {"at": "2026-01-30T16:02:00Z", "price": "143"},
        ],
    }


def test_points_are_kept_though_the_source_fails(
    ibm: Instrument, price_file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prices also come by a stream and by hand; and who follows a refresh follows each minute."""
    price_file("nothing that is known\n1\n")
    started: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda task, **_: started.append(task))
    quote(ibm, "140", NOW, source="csv")
    with clock_set(NOW + timedelta(seconds=5)):
        refresh_quotes()
    assert PricePoint.objects.get().price == 140
    assert started == ["pnl.tasks.record_intraday"]


def test_a_price_that_did_not_move_adds_no_point(ibm: Instrument) -> None:
    quote(ibm, "140", NOW)
    assert points_record(now=NOW) == 1
    assert points_record(now=NOW + timedelta(seconds=60)) == 0
    assert points_record(now=NOW + timedelta(minutes=10)) == 0


def test_another_sources_points_are_not_shown_and_one_by_hand_comes_first(
    ibm: Instrument, settings: Any
) -> None:
    quote(ibm, "140", NOW)
    quote(ibm, "150", NOW, "manual")
    points_record(now=NOW)
    assert [p["price"] for p in series(ticker="IBM").json()["points"]] == ["150"]
    PricePoint.objects.filter(source="manual").delete()
    settings.PRICE_SOURCE = "yahoo"
    assert PricePoint.objects.count() == 1
    client = APIClient()
    client.force_authenticate(factories.make_user("another"))
    assert client.get(SERIES, {"ticker": "IBM", "session": "2026-01-30"}).json()["points"] == []


def test_at_night_only_simulated_prices_are_kept_and_fewer(ibm: Instrument, settings: Any) -> None:
    quote(ibm, "140", SATURDAY)
    assert points_record(now=SATURDAY + timedelta(minutes=1)) == 0
    assert points_record(now=SATURDAY) == 1
    settings.PRICE_SOURCE = "yahoo"
    quote(ibm, "140", SATURDAY, "yahoo")
    assert points_record(now=SATURDAY) == 0


def test_five_sessions_are_kept(ibm: Instrument) -> None:
    for days in range(14):
        PricePoint.objects.create(
            instrument=ibm, source="simulated", at=NOW - timedelta(days=days), price=1
        )
    points_record(now=NOW)
    kept = {point.at.date() for point in PricePoint.objects.all()}
    assert min(kept) == date(2026, 1, 26)  # Monday of that week


def lines(*tickers: str, after: timedelta = timedelta(minutes=5)) -> Any:
    client = APIClient()
    client.force_authenticate(factories.make_user(f"lines{User.objects.count()}"))
    with clock_set(NOW + after):
        return client.get(LINES, {"ticker": tickers} if tickers else {}).json()


def point(instrument: Instrument, price: str, at: datetime, source: str = "simulated") -> None:
    PricePoint.objects.create(instrument=instrument, source=source, at=at, price=price)


@pytest.fixture(params=["few", "many"])
def many(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines of many are picked out of those of all."""
    if request.param == "many":
        monkeypatch.setattr(prices.quotes.series, "_FEW", 0)


@pytest.mark.usefixtures("many")
def test_a_line_has_the_last_price_of_each_ten_minutes(ibm: Instrument) -> None:
    """By hand before the source's, other sources and other days never; and who has none is left
    out."""
    aapl, ko = factories.make_instrument("AAPL"), factories.make_instrument("KO")
    before = NOW - timedelta(days=1)
    point(ibm, "100", before)
    point(ko, "60", before)
    for minute, price in ((0, "140"), (9, "141"), (10, "142"), (25, "143.50")):
        point(ibm, price, NOW + timedelta(minutes=minute))
    point(ibm, "150", NOW + timedelta(minutes=9), "manual")
    point(ibm, "1", NOW + timedelta(minutes=29), "yahoo")
    point(aapl, "190", NOW)
    found = lines("IBM", "KO", "NOPE")
    assert found["session"] == "2026-01-30"
    assert found["starts_at"] == "2026-01-30T05:00:00Z"
    assert found["every_seconds"] == 600
    assert found["lines"] == [
        {"ticker": "IBM", "minutes": [669, 670, 685], "prices": ["150", "142", "143.50"]}
    ]


@pytest.mark.usefixtures("many")
def test_without_names_all_that_are_priced_have_their_line(ibm: Instrument) -> None:
    factories.make_instrument("KO")
    point(ibm, "140", NOW)
    assert [line["ticker"] for line in lines()["lines"]] == ["IBM"]


@pytest.mark.parametrize(
    ("query", "code", "attr"),
    [
        ({"ticker": "NOPE"}, "unknown_ticker", "ticker"),
        ({}, "required", "ticker"),
        ({"ticker": "IBM", "session": "2026-01-31"}, "no_session", "session"),
        ({"ticker": "IBM", "session": "soon"}, "invalid", "session"),
        ({"ticker": "IBM", "more": "1"}, "unknown_field", "more"),
    ],
)
def test_what_is_asked_wrongly_is_said(
    ibm: Instrument, query: dict[str, str], code: str, attr: str
) -> None:
    answer = series(**query)
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["attr"] == attr
    assert error["code"] == code or code in ("invalid", "unknown_field")


def test_lines_of_many_are_made_once_for_each_new_point(
    ibm: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prices.quotes.series, "_FEW", 0)

    def prices_shown() -> tuple[list[str], int]:
        with CaptureQueriesContext(connection) as asked:
            (line,) = lines("IBM")["lines"]
        made = [query for query in asked.captured_queries if "date_bin" in query["sql"]]
        return line["prices"], len(made)

    point(ibm, "140", NOW)
    assert prices_shown() == (["140"], 1)
    assert prices_shown() == (["140"], 0)
    point(ibm, "141", NOW + timedelta(minutes=1))
    assert prices_shown() == (["141"], 1)
