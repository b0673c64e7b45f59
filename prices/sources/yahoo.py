"""Prices from Yahoo by yfinance. A ticker without an answer is missing for now, nothing more."""

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice

from kernel.money import round_source_price
from prices.elapsed_clock import Monotonic, elapsed_clock
from prices.models import Instrument
from prices.sessions import Sessions, sessions
from prices.sources.base import (
    FailureKind,
    SourceClose,
    SourceEvent,
    SourceQuote,
    SourceUnavailable,
)
from prices.sources.yfinance_client import (
    TIME_ZONE,
    Chart,
    LastPrice,
    YahooClient,
    YahooFailure,
)

# Symbols in one request for quotes.
QUOTES_AT_ONCE = 100
# Of the session that just ended, Yahoo goes on answering its last trade for a while. It is taken
# for the close when it was made at the end or later, or after this time in any case.
CLOSES_SETTLE = timedelta(minutes=15)
# One failure may be one symbol's; these many one after another are the source's.
FAILURES_IN_A_ROW = 3
# A host whose clock is behind a little.
CLOCK_MARGIN = timedelta(seconds=5)

CURRENCY = "USD"

logger = logging.getLogger(__name__)


class YahooSource:
    name = "yahoo"
    ticks_at_any_hour = False

    def __init__(self, client: YahooClient, monotonic: Monotonic = time.monotonic) -> None:
        self._client = client
        self._monotonic = monotonic
        # By ticker, what was wrong with the last answer of it.
        self.left_out: dict[str, str] = {}
        self.events: list[SourceEvent] = []

    def quotes(self, instruments: Sequence[Instrument], *, now: datetime) -> list[SourceQuote]:
        """All by a few requests; by one chart each where Yahoo refuses to answer many at once.

        Each answer is judged by when it came: the exchange trades on while others are asked for.
        """
        clock = elapsed_clock(now, self._monotonic)
        tickers: dict[str, list[str]] = {}
        for instrument in instruments:
            tickers.setdefault(instrument.yahoo_symbol, []).append(instrument.ticker)
        found: list[SourceQuote] = []
        try:
            for symbols in _chunks(list(tickers), QUOTES_AT_ONCE):
                answered = self._client.last_prices(symbols)
                came = clock()
                for last in answered:
                    if last.symbol not in tickers or self._is_foreign(tickers[last.symbol], last):
                        continue
                    if last.at <= came + CLOCK_MARGIN:
                        price, at = round_source_price(last.price), min(last.at, came)
                        found += [SourceQuote(t, price, at) for t in tickers[last.symbol]]
        except YahooFailure as failure:
            if failure.kind == FailureKind.REFUSED and not found:
                logger.warning("Yahoo refuses quotes (%s); asking for charts", failure)
                return self._quotes_by_charts(instruments, clock)
            raise _unavailable(failure, quotes=found) from failure
        _refuse_empty(len(tickers), len(found))
        return found

    def closes(
        self, instruments: Sequence[Instrument], first: date, last: date, *, now: datetime
    ) -> list[SourceClose]:
        known = sessions()
        found: list[SourceClose] = []
        self.events = []
        answered = 0
        charts = self._charts(instruments, first=first, now=now, interval="1d")
        try:
            for instrument, chart in charts:
                answered += bool(chart.bars)
                if self._is_foreign([instrument.ticker], chart):
                    continue
                self.events += [
                    SourceEvent(instrument.ticker, event.ex_date, event.kind, _value(event.value))
                    for event in chart.events
                ]
                found += [
                    SourceClose(instrument.ticker, bar.at.date(), round_source_price(bar.close))
                    for bar in chart.bars
                    if first <= bar.at.date() <= last
                    and _is_official(chart, bar.at.date(), known, now)
                ]
        except YahooFailure as failure:
            raise _unavailable(failure, closes=found) from failure
        _refuse_empty(len(instruments), answered)
        return found

    def _quotes_by_charts(
        self, instruments: Sequence[Instrument], clock: Callable[[], datetime]
    ) -> list[SourceQuote]:
        found: list[SourceQuote] = []
        charts = self._charts(instruments, first=None, now=clock(), interval="1m")
        try:
            for instrument, chart in charts:
                came = clock()
                bars = [bar for bar in chart.bars if bar.at.astimezone(UTC) <= came]
                if bars and not self._is_foreign([instrument.ticker], chart):
                    price, at = round_source_price(bars[-1].close), bars[-1].at.astimezone(UTC)
                    found.append(SourceQuote(instrument.ticker, price, at))
        except YahooFailure as failure:
            raise _unavailable(failure, quotes=found) from failure
        _refuse_empty(len(instruments), len(found))
        return found

    def _is_foreign(self, tickers: Sequence[str], answer: LastPrice | Chart) -> bool:
        """True if an answer is in another currency than that of all our prices, or from an exchange
        elsewhere. Such a symbol names another listing than was meant, and its price is left out:
        pence are no dollars. An answer that does not say so is believed."""
        wrong = None
        if answer.currency not in (None, CURRENCY):
            wrong = f"in {answer.currency}, not {CURRENCY}"
        elif answer.zone not in (None, TIME_ZONE):
            wrong = f"from an exchange of {answer.zone}"
        for ticker in tickers:
            if wrong is None:
                self.left_out.pop(ticker, None)
            elif self.left_out.get(ticker) != wrong:
                self.left_out[ticker] = wrong
                logger.warning("Yahoo answers %s %s: left out", ticker, wrong)
        return wrong is not None

    def _charts(
        self, instruments: Sequence[Instrument], *, first: date | None, now: datetime, interval: str
    ) -> Iterator[tuple[Instrument, Chart]]:
        """One request each. Failures of single symbols are passed over, and the first of them is
        raised at the end; a rate limit, or several in a row, at once."""
        earliest: YahooFailure | None = None
        in_a_row = 0
        for instrument in instruments:
            try:
                yield (
                    instrument,
                    self._client.chart(
                        instrument.yahoo_symbol, first=first, now=now, interval=interval
                    ),
                )
                in_a_row = 0
            except YahooFailure as failure:
                in_a_row += 1
                earliest = earliest or failure
                if failure.kind == FailureKind.RATE_LIMITED or in_a_row == FAILURES_IN_A_ROW:
                    raise
        if earliest is not None:
            earliest.is_single = True
            raise earliest


def _value(value: float) -> Decimal:
    """A ratio or an amount of cash of binary floats, without their noise."""
    return Decimal(repr(round(value, 8))).normalize()


def _is_official(chart: Chart, day: date, known: Sessions, now: datetime) -> bool:
    """True if a day's bar is its close already. Days off have none."""
    if not known.is_session(day):
        return False
    closes = known.session_of(day).closes
    if now < closes:
        return False
    traded = chart.last_trade
    return traded is None or traded >= closes or now >= closes + CLOSES_SETTLE


def _chunks(symbols: Sequence[str], size: int) -> Iterator[list[str]]:
    rest = iter(symbols)
    for _ in range(math.ceil(len(symbols) / size)):
        yield list(islice(rest, size))


def _unavailable(
    failure: YahooFailure,
    *,
    quotes: Sequence[SourceQuote] = (),
    closes: Sequence[SourceClose] = (),
) -> SourceUnavailable:
    return SourceUnavailable(
        f"Yahoo: {failure}",
        kind=failure.kind,
        retry_after=failure.retry_after,
        is_partial=failure.is_single,
        quotes=quotes,
        closes=closes,
    )


def _refuse_empty(asked: int, answered: int) -> None:
    """One that is unknown is missing; all of many unknown is trouble of the source's own."""
    if asked >= 5 and not answered:
        raise SourceUnavailable(f"Yahoo: no answer for any of {asked}", kind=FailureKind.EMPTY)
