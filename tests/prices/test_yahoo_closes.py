"""The closes of the Yahoo source: yfinance as it is, against a Yahoo on loopback."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from prices.actions.read import actions_counting
from prices.actions.record import action_propose
from prices.actions.suggest import events_keep, suggestions
from prices.actions.terms import Terms
from prices.closes.fetch import closes_rebuild
from prices.models import Close, Instrument, SessionOverride
from prices.sources import SourceClose
from prices.sources.yahoo import YahooSource
from tests.prices.yahooing import (
    BRK,
    END,
    FRIDAY,
    GONE,
    IBM,
    MANY,
    NOW,
    THURSDAY,
    WEDNESDAY,
    Moved,
    clock,
    market_of,
    only,
    source,
    yahoo,
)
from tests.yahoo.server import Answer, YahooServer

__all__ = ["clock", "source", "yahoo"]

pytestmark = pytest.mark.django_db


def test_closes_are_unadjusted_rounded_and_in_range(
    yahoo: YahooServer, source: YahooSource
) -> None:
    market_of(yahoo).closes = {
        ("IBM", WEDNESDAY): 143.10, ("IBM", THURSDAY): 143.33,
    }  # fmt: skip
    assert source.closes([IBM, GONE], WEDNESDAY, THURSDAY, now=NOW) == [
        SourceClose("IBM", WEDNESDAY, Decimal("143.10")),
        SourceClose("IBM", THURSDAY, Decimal("143.33")),
    ]


def test_the_running_session_has_no_close(yahoo: YahooServer, source: YahooSource) -> None:
    assert source.closes([IBM], FRIDAY, FRIDAY, now=NOW) == []


def test_a_last_trade_before_the_end_is_no_close_yet(
    yahoo: YahooServer, source: YahooSource, clock: Moved
) -> None:
    """Until the closing auction is told of, Yahoo goes on with the last trade before it."""
    market = market_of(yahoo)
    market.auction = timedelta(minutes=5)
    market.closes = {("IBM", FRIDAY): 144.07}
    clock.now = END + timedelta(minutes=4)
    assert source.closes([IBM], FRIDAY, FRIDAY, now=clock.now) == []
    clock.now = END + timedelta(minutes=5)
    assert source.closes([IBM], FRIDAY, FRIDAY, now=clock.now) == [
        SourceClose("IBM", FRIDAY, Decimal("144.07"))
    ]


def test_what_never_traded_at_the_end_has_its_last_trade_as_close(
    yahoo: YahooServer, source: YahooSource, clock: Moved
) -> None:
    market_of(yahoo).auction = timedelta(days=1)
    clock.now = END + timedelta(minutes=15)
    assert len(source.closes([IBM], FRIDAY, FRIDAY, now=clock.now)) == 1


def test_nan_in_the_last_row_is_no_close(
    yahoo: YahooServer, source: YahooSource, clock: Moved
) -> None:
    market_of(yahoo).silent = {"IBM"}
    clock.now = END + timedelta(hours=1)
    found = source.closes([IBM], WEDNESDAY, FRIDAY, now=clock.now)
    assert [close.session for close in found] == [WEDNESDAY, THURSDAY]


def test_a_half_day_by_hand_ends_early(
    yahoo: YahooServer, source: YahooSource, clock: Moved
) -> None:
    SessionOverride.objects.create(date=FRIDAY, early_close="10:30", reason="Storm")
    clock.now = NOW
    assert len(source.closes([IBM], FRIDAY, FRIDAY, now=clock.now)) == 1


def test_closes_cost_one_request_each(yahoo: YahooServer, source: YahooSource) -> None:
    source.closes(MANY[:5], WEDNESDAY, THURSDAY, now=NOW)
    assert [asked.kind for asked in yahoo.data_requests()] == ["chart"] * 5


def test_asking_again_asks_yahoo_again(
    yahoo: YahooServer, source: YahooSource, clock: Moved
) -> None:
    """yfinance keeps answers about the past in memory; a close that moved must be seen."""
    market_of(yahoo).closes = {("IBM", THURSDAY): 143.33}
    source.closes([IBM], THURSDAY, THURSDAY, now=NOW)
    market_of(yahoo).closes = {("IBM", THURSDAY): 143.50}
    later = NOW + timedelta(minutes=10)
    [close] = source.closes([IBM], THURSDAY, THURSDAY, now=later)
    assert close.close == Decimal("143.50")


MORNING = datetime(2026, 1, 30, 13, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("splits", "told"),
    [
        ({FRIDAY: (10, 1)}, 119.0),
        ({FRIDAY: (1, 20)}, 23_800.0),
        ({FRIDAY: (3, 2)}, 1190 / 1.5),
        ({THURSDAY: (4, 1), FRIDAY: (5, 4)}, 1190 / 1.25),
    ],
    ids=str,
)
@pytest.mark.parametrize("asked_at", [MORNING, NOW, END + timedelta(hours=1)], ids=str)
def test_closes_before_a_split_are_told_as_they_were_traded(
    yahoo: YahooServer,
    source: YahooSource,
    clock: Moved,
    splits: dict[date, tuple[int, int]],
    told: float,
    asked_at: datetime,
) -> None:
    """Yahoo divides what came before, from the morning of the ex-date on."""
    market, clock.now = market_of(yahoo), asked_at
    market.closes = {
        ("IBM", WEDNESDAY): 1180.07, ("IBM", THURSDAY): 1190, ("IBM", FRIDAY): 119.5,
    }  # fmt: skip
    market.splits = {("IBM", day): by for day, by in splits.items()}
    assert market.told_close("IBM", THURSDAY) == pytest.approx(told)
    found = source.closes([IBM], WEDNESDAY, FRIDAY, now=asked_at)
    assert found[:2] == [
        SourceClose("IBM", WEDNESDAY, Decimal("1180.07")),
        SourceClose("IBM", THURSDAY, Decimal("1190.00")),
    ]
    assert [close.close for close in found[2:]] == [Decimal("119.50")] * (asked_at > END)


def test_a_split_after_the_range_that_is_asked_for_counts_too(
    yahoo: YahooServer, source: YahooSource
) -> None:
    market_of(yahoo).closes = {("IBM", WEDNESDAY): 499.23}
    market_of(yahoo).splits = {("IBM", FRIDAY): (4, 1)}
    [close] = source.closes([IBM], WEDNESDAY, WEDNESDAY, now=NOW)
    assert close.close == Decimal("499.23")


def test_reading_all_again_after_a_split_corrects_nothing(
    yahoo: YahooServer, clock: Moved, settings: Any
) -> None:
    settings.PRICE_SOURCE = "yahoo"
    settings.YAHOO_REQUESTS_PER_SECOND = 1000
    Instrument.objects.create(ticker="IBM", yahoo_symbol="IBM", indices=["S&P 500"])
    market_of(yahoo).closes = {("IBM", WEDNESDAY): 1180, ("IBM", THURSDAY): 1190}
    clock.now = END - timedelta(days=1) + timedelta(hours=1)
    assert closes_rebuild(now=clock.now, first=WEDNESDAY).new == 2
    market_of(yahoo).splits = {("IBM", FRIDAY): (10, 1)}
    clock.now = MORNING
    assert closes_rebuild(now=MORNING, first=WEDNESDAY).new == 0
    assert list(Close.objects.order_by("session").values_list("close", flat=True)) == [1180, 1190]


def test_what_is_not_in_dollars_is_left_out_and_named(
    yahoo: YahooServer, source: YahooSource, caplog: pytest.LogCaptureFixture
) -> None:
    market_of(yahoo).currencies = {"IBM": "GBp"}
    assert [quote.ticker for quote in source.quotes([IBM, BRK], now=NOW)] == ["BRK.B"]
    found = source.closes([IBM, BRK], THURSDAY, THURSDAY, now=NOW)
    assert [close.ticker for close in found] == ["BRK.B"]
    yahoo.fault = only("quote", lambda _: Answer(401, b"{}"))
    assert [quote.ticker for quote in source.quotes([IBM, BRK], now=NOW)] == ["BRK.B"]
    # Said once while it stays so; the system page names it.
    assert caplog.text.count("Yahoo answers IBM in GBp, not USD: left out") == 1
    assert source.left_out == {"IBM": "in GBp, not USD"}


def test_splits_and_dividends_are_suggested_and_never_applied(
    yahoo: YahooServer, source: YahooSource, clock: Moved, settings: Any
) -> None:
    """As they were on their days: what came before a split is told divided by it."""
    settings.PRICE_SOURCE = "yahoo"
    clock.now = END + timedelta(hours=1)
    market = market_of(yahoo)
    market.splits = {("IBM", FRIDAY): (3, 2)}
    market.dividends = {("IBM", THURSDAY): 1.12}
    ibm = Instrument.objects.create(ticker="IBM", yahoo_symbol="IBM")
    source.closes([ibm], WEDNESDAY, FRIDAY, now=clock.now)
    for _ in range(2):
        events_keep("yahoo", source.events, {"IBM": ibm.pk})
    split, dividend = suggestions()
    assert (split.kind, split.keep_new, split.keep_old) == ("split", 3, 2)
    assert (dividend.kind, dividend.cash) == ("cash_dividend", Decimal("1.68"))
    assert (split.ex_date, dividend.ex_date) == (FRIDAY, THURSDAY)
    assert actions_counting() == ()
    user = User.objects.create_user("office")
    action_propose(
        user=user, reason="x",
        terms=Terms("split", "IBM", FRIDAY, keep_new=Decimal(3), keep_old=Decimal(2)),
    )  # fmt: skip
    assert suggestions() == [dividend]
