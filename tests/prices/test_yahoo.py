"""The Yahoo source: yfinance as it is, against a Yahoo on loopback that answers as the real one."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from prices.closes.fetch import closes_rebuild
from prices.models import Close, Instrument, SessionOverride
from prices.sessions.calendar import published_calendar
from prices.sources import FailureKind, SourceClose, SourceQuote, SourceUnavailable
from prices.sources.yahoo import CLOCK_MARGIN, YahooSource
from prices.sources.yfinance_client import YahooClient, cache_directory
from tests.yahoo.market import Market
from tests.yahoo.server import TOO_MANY, Answer, Asked, YahooServer

pytestmark = pytest.mark.django_db

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


# --- quotes -------------------------------------------------------------------------------------


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


# --- closes -------------------------------------------------------------------------------------


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


# --- failures -----------------------------------------------------------------------------------

LATE = "Wed, 21 Oct 2015 07:28:00 GMT"
FAULTS = [
    (Answer(429, TOO_MANY), FailureKind.RATE_LIMITED, None),
    (Answer(429, TOO_MANY, {"Retry-After": "77"}), FailureKind.RATE_LIMITED, timedelta(seconds=77)),
    (Answer(429, TOO_MANY, {"Retry-After": LATE}), FailureKind.RATE_LIMITED, timedelta()),
    (Answer(429, TOO_MANY, {"Retry-After": "soon"}), FailureKind.RATE_LIMITED, None),
    (Answer(500, b"<html>oops</html>"), FailureKind.SERVER_ERROR, None),
    (Answer(200, b'{"quoteResponse": {"res'), FailureKind.MALFORMED, None),
    (Answer(200, b"[]"), FailureKind.MALFORMED, None),
    (Answer(200, b'{"quoteResponse": {}}', cut_at=9), FailureKind.NETWORK, None),
    (Answer(200, b"{}", hang=1.5), FailureKind.TIMEOUT, None),
]


@pytest.mark.parametrize(("answer", "kind", "retry_after"), FAULTS)
def test_quotes_that_fail_say_how(
    yahoo: YahooServer,
    source: YahooSource,
    answer: Answer,
    kind: FailureKind,
    retry_after: timedelta | None,
) -> None:
    yahoo.fault = only("quote", lambda _: answer)
    failure = failure_of(lambda: source.quotes([IBM], now=NOW))
    assert (failure.kind, failure.retry_after) == (kind, retry_after)


def chart_error(words: str) -> bytes:
    return b'{"chart":{"result":null,"error":{"code":"x","description":"%s"}}}' % words.encode()


CHART_FAULTS = [
    (Answer(429, TOO_MANY), FailureKind.RATE_LIMITED),
    (Answer(500, b"<html>oops</html>"), FailureKind.MALFORMED),
    (Answer(500, chart_error("Internal trouble")), FailureKind.SERVER_ERROR),
    (Answer(200, b'{"chart": {"res'), FailureKind.MALFORMED),
    (Answer(200, b'{"chart": {}}', cut_at=9), FailureKind.NETWORK),
    (Answer(200, b"{}", hang=1.5), FailureKind.TIMEOUT),
]


@pytest.mark.parametrize(("answer", "kind"), CHART_FAULTS)
def test_closes_that_fail_say_how(
    yahoo: YahooServer, source: YahooSource, answer: Answer, kind: FailureKind
) -> None:
    yahoo.fault = only("chart", lambda _: answer)
    failure = failure_of(lambda: source.closes([IBM], THURSDAY, THURSDAY, now=NOW))
    assert failure.kind == kind
    assert failure.is_partial == (kind != FailureKind.RATE_LIMITED)


def test_a_rate_limit_stops_at_once_and_keeps_what_came(
    yahoo: YahooServer, source: YahooSource
) -> None:
    yahoo.fault = only("quote", lambda a: Answer(429, TOO_MANY) if "T100" in a.symbols else None)
    failure = failure_of(lambda: source.quotes(MANY, now=NOW))
    assert len(failure.quotes) == 100
    # One that answered, and the one that did not, which yfinance itself tries twice.
    assert yahoo.count("quote") == 3
    yahoo.asked.clear()
    yahoo.fault = only("chart", lambda a: Answer(429, TOO_MANY) if "T3" in a.symbols else None)
    failure = failure_of(lambda: source.closes(MANY[:9], THURSDAY, THURSDAY, now=NOW))
    assert (len(failure.closes), failure.is_partial) == (3, False)
    assert yahoo.count("chart") == 5


def test_one_symbol_that_fails_does_not_stop_the_others(
    yahoo: YahooServer, source: YahooSource
) -> None:
    broken = Answer(200, b'{"chart": {"res')
    yahoo.fault = only("chart", lambda a: broken if "T3" in a.symbols else None)
    failure = failure_of(lambda: source.closes(MANY[:9], THURSDAY, THURSDAY, now=NOW))
    assert (len(failure.closes), failure.is_partial) == (8, True)


def test_several_in_a_row_stop(yahoo: YahooServer, source: YahooSource) -> None:
    yahoo.fault = only("chart", lambda a: Answer(200, b"{"))
    failure = failure_of(lambda: source.closes(MANY[:9], THURSDAY, THURSDAY, now=NOW))
    assert (failure.kind, failure.is_partial) == (FailureKind.MALFORMED, False)
    assert yahoo.count("chart") == 3


def test_no_answer_for_any_of_many_is_trouble(yahoo: YahooServer, source: YahooSource) -> None:
    market_of(yahoo).symbols = set()
    assert failure_of(lambda: source.quotes(MANY, now=NOW)).kind == FailureKind.EMPTY
    failure = failure_of(lambda: source.closes(MANY[:5], THURSDAY, THURSDAY, now=NOW))
    assert failure.kind == FailureKind.EMPTY
    assert source.quotes([GONE], now=NOW) == []


def test_a_cookie_that_cannot_be_had_does_not_matter(
    yahoo: YahooServer, source: YahooSource
) -> None:
    yahoo.fault = only("crumb", lambda _: Answer(429, TOO_MANY))
    yahoo.crumb_is_needed = False
    assert len(source.quotes([IBM], now=NOW)) == 1


def test_requests_keep_their_distance(yahoo: YahooServer) -> None:
    slept: list[float] = []
    client = YahooClient(per_second=4, timeout=1, sleep=slept.append, monotonic=lambda: 100.0)
    for _ in range(4):
        client.last_prices(["IBM"])
    assert slept == [0.25, 0.5, 0.75]


def test_the_pace_is_kept_by_the_clock_too(yahoo: YahooServer) -> None:
    client = YahooClient(per_second=20, timeout=1)
    begun = time.monotonic()
    for _ in range(5):
        client.last_prices(["IBM"])
    assert time.monotonic() - begun >= 0.2


def test_caches_of_processes_that_are_gone_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gone = subprocess.Popen(["true"])
    gone.wait()
    (tmp_path / f"eqtrade-yfinance-{gone.pid}-a").mkdir()
    (tmp_path / f"eqtrade-yfinance-{os.getppid()}-b").mkdir()
    cache_directory()
    left = sorted(path.name.split("-")[2] for path in tmp_path.iterdir())
    assert left == sorted([str(os.getppid()), str(os.getpid())])
