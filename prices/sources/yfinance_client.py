"""Asking Yahoo through yfinance: one request at a time, paced, with failures that have a kind.

What is worked around here, each seen with yfinance 1.7:
- Errors are swallowed and logged unless its configuration says otherwise.
- A rate limit is raised without the answer, so without its Retry-After; the answer is looked up
  where the error was raised.
- Charts of the past are cached in memory by their address, broken answers too, and a bar made at
  the end of what was asked for is dropped: ask beyond now.
- Each symbol's time zone costs a request of its own, unless the cache knows it.
- A daily close is divided by every split since, whenever it is asked for; the splits stand in the
  same answer. `repair=True` would guess at others, so it is not used.
- Two processes on one cache directory lock each other out: each has its own.
"""

import logging
import math
import os
import shutil
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Any

from prices.sources.base import FailureKind

QUOTE_URL = "https://query1.finance.yahoo.com/v7/finance/quote"
TIME_ZONE = "America/New_York"
# Yahoo's words for a symbol that it does not have (any more), as opposed to trouble of its own.
_ABSENT = ("delisted", "no data found", "not found", "doesn't exist")

logger = logging.getLogger(__name__)


class YahooFailure(Exception):
    """One request came to nothing. `is_single`: that is one symbol's trouble, others answer."""

    def __init__(
        self, kind: FailureKind, detail: str, *, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.retry_after = retry_after
        self.is_single = False


@dataclass(frozen=True)
class LastPrice:
    """`at` is when the exchange made the price. `currency` is as Yahoo writes it ("GBp" are pence),
    `zone` the time zone of the exchange; None where it says nothing."""

    symbol: str
    price: float
    at: datetime
    currency: str | None = None
    zone: str | None = None


@dataclass(frozen=True)
class Bar:
    """`at` is the beginning of the minute, or midnight of the day, on the exchange's clock. The
    close is as it was traded."""

    at: datetime
    close: float


@dataclass(frozen=True)
class Chart:
    """Bars with a price, oldest first; `last_trade` is when the newest of them last traded;
    `currency` and `zone` as Yahoo writes them."""

    bars: Sequence[Bar]
    last_trade: datetime | None
    currency: str | None = None
    zone: str | None = None
    events: Sequence["Event"] = ()


@dataclass(frozen=True)
class Event:
    """A corporate action in an answer: `split`, new shares for one old; `dividend`, cash for one
    share as it was then."""

    ex_date: date
    kind: str
    value: float


class YahooClient:
    """At most `per_second` requests, whoever calls. `timeout` is in seconds, of each request."""

    def __init__(
        self,
        *,
        per_second: float,
        timeout: float,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pause = 1 / per_second
        self._timeout = timeout
        self._sleep = sleep
        self._monotonic = monotonic
        self._next = monotonic()

    def last_prices(self, symbols: Sequence[str]) -> list[LastPrice]:
        """One request for all; symbols that Yahoo does not know are left out."""
        from yfinance.data import YfData

        configured()
        self._wait()
        params = {"symbols": ",".join(symbols), "formatted": "false"}
        with _failures():
            answer = YfData().get(QUOTE_URL, params=params, timeout=self._timeout)
            _refuse(answer.status_code)
            rows = answer.json()["quoteResponse"]["result"] or []
            return [price for row in rows if (price := _last_price(row))]

    def chart(self, symbol: str, *, first: date | None, now: datetime, interval: str) -> Chart:
        """Bars from `first` (None: of this day) until `now`. Raises YahooFailure; empty when Yahoo
        does not know the symbol."""
        import yfinance
        from yfinance.exceptions import YFTickerMissingError

        configured()
        yfinance.cache.get_tz_cache().store(symbol, TIME_ZONE)
        self._wait()
        asked: dict[str, Any] = (
            {"period": "1d"}
            if first is None
            else {"start": str(first), "end": now + timedelta(days=1)}
        )
        with _failures():
            ticker = yfinance.Ticker(symbol)
            try:
                # auto_adjust=False: adjusted prices change with each dividend, and are no closes.
                frame = ticker.history(
                    **asked,
                    interval=interval,
                    auto_adjust=False,
                    actions=True,
                    timeout=self._timeout,
                )
            except YFTickerMissingError as error:
                reason = str(getattr(error, "yahoo_reason", None) or "no data found")
                if any(words in reason.lower() for words in _ABSENT):
                    return Chart((), None)
                raise YahooFailure(FailureKind.SERVER_ERROR, reason) from error
            bars = [] if frame.empty else list(_bars(frame))
            about = ticker.history_metadata if bars else {}
            return Chart(
                bars,
                _moment(about.get("regularMarketTime")),
                about.get("currency"),
                about.get("exchangeTimezoneName"),
                () if frame.empty else tuple(_events(frame)),
            )

    def _wait(self) -> None:
        now = self._monotonic()
        if self._next > now:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + self._pause


_CACHE = "eqtrade-yfinance-"


@cache
def configured() -> None:
    """Set yfinance up, once a process. It brings pandas and a network stack: only when needed."""
    import yfinance

    yfinance.config.debug.hide_exceptions = False
    yfinance.set_tz_cache_location(cache_directory())
    logging.getLogger("yfinance").setLevel(logging.CRITICAL)
    # It asks for its own warnings of deprecation to be shown: a line in the log a chart.
    warnings.filterwarnings("ignore", category=DeprecationWarning, module="yfinance")


def cache_directory() -> str:
    """A new directory of this process's own. Workers end without tidying up, so those of processes
    that are gone are removed here."""
    for left in Path(tempfile.gettempdir()).glob(f"{_CACHE}*"):
        owner = left.name.removeprefix(_CACHE).split("-")[0]
        if owner.isdigit() and not _lives(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    return tempfile.mkdtemp(prefix=f"{_CACHE}{os.getpid()}-")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _last_price(row: dict[str, Any]) -> LastPrice | None:
    price, at = row.get("regularMarketPrice"), _moment(row.get("regularMarketTime"))
    if not isinstance(price, int | float) or not math.isfinite(price) or price <= 0 or at is None:
        return None
    return LastPrice(
        str(row["symbol"]), float(price), at, row.get("currency"), row.get("exchangeTimezoneName")
    )


def _bars(frame: Any) -> list[Bar]:
    """The closes as traded, oldest first: each times the splits that came after it. The tail may be
    NaN for names that did not trade, and a split before the first trade of its day has a row
    without a price."""
    bars, split_since = [], 1.0
    splits = frame["Stock Splits"] if "Stock Splits" in frame else [0.0] * len(frame)
    for stamp, price, split in reversed(
        list(zip(frame.index, frame["Close"], splits, strict=True))
    ):
        if math.isfinite(price) and price > 0:
            bars.append(Bar(stamp.to_pydatetime(), float(price) * split_since))
        if math.isfinite(split) and split > 0:
            split_since *= float(split)
    return bars[::-1]


def _events(frame: Any) -> Iterator[Event]:
    """The splits and dividends of an answer. A dividend, like a close, is divided by every split
    since."""
    split_since = 1.0
    rows = list(frame.index)
    splits = frame["Stock Splits"] if "Stock Splits" in frame else [0.0] * len(rows)
    dividends = frame["Dividends"] if "Dividends" in frame else [0.0] * len(rows)
    for stamp, split, cash in reversed(list(zip(rows, splits, dividends, strict=True))):
        day = stamp.to_pydatetime().date()
        if math.isfinite(cash) and cash > 0:
            yield Event(day, "dividend", float(cash) * split_since)
        if math.isfinite(split) and split > 0:
            yield Event(day, "split", float(split))
            split_since *= float(split)


def _moment(seconds: Any) -> datetime | None:
    if isinstance(seconds, datetime):
        return seconds.astimezone(UTC)
    if not isinstance(seconds, int | float) or not math.isfinite(seconds):
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _refuse(status: int) -> None:
    if status >= 500:
        raise YahooFailure(FailureKind.SERVER_ERROR, f"HTTP {status}")
    if status >= 400:
        raise YahooFailure(FailureKind.REFUSED, f"HTTP {status}")


class _failures:  # noqa: N801 - used as a statement
    """Turn whatever yfinance and its network stack raise into a YahooFailure."""

    def __enter__(self) -> None: ...

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> None:
        if isinstance(error, YahooFailure) or not isinstance(error, Exception):
            return
        raise YahooFailure(
            _kind_of(error),
            f"{type(error).__name__}: {error}"[:200],
            retry_after=_retry_after(error),
        ) from error


def _kind_of(error: Exception) -> FailureKind:
    from yfinance.exceptions import YFRateLimitError

    if isinstance(error, YFRateLimitError):
        return FailureKind.RATE_LIMITED
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & {"Timeout", "TimeoutError"}:
        return FailureKind.TIMEOUT
    # JSONDecodeError is a ValueError, and one of the network stack's errors, too.
    if names & {"ValueError", "LookupError", "TypeError", "AttributeError"}:
        return FailureKind.MALFORMED
    return FailureKind.NETWORK


def _retry_after(error: Exception) -> timedelta | None:
    """The pause that the last answer asked for, in seconds or as a date."""
    header: str | None = None
    for frame, _ in traceback.walk_tb(error.__traceback__):
        headers = getattr(frame.f_locals.get("response"), "headers", None)
        header = headers.get("Retry-After") if headers is not None else header
    if not header:
        return None
    try:
        if header.isdigit():
            return timedelta(seconds=int(header))
        return max(timedelta(), parsedate_to_datetime(header) - datetime.now(UTC))
    except (ValueError, TypeError, OverflowError):
        return None
