"""The market of the local Yahoo: prices by symbol and moment, in the shapes that Yahoo tells."""

import math
import struct
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from kernel.clock import NEW_YORK
from prices.sessions.calendar import Session

Clock = Callable[[], datetime]
NAN = None  # as JSON has it: Yahoo says null where pandas then has NaN
VALID_RANGES = ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"]


def single(price: float) -> float:
    """A price as a single-precision float, widened again: 192.81 becomes 192.80999755859375."""
    return float(struct.unpack("f", struct.pack("f", price))[0])


class Market:
    """Symbols that trade in `sessions` (by date), each at `price(symbol, moment)`.

    `closes` beats the price of a day's bar, and is as traded; `splits` (new shares for old ones,
    by symbol and ex-date) divide what is told of the days before; `currencies` are those of symbols
    that are not in USD; `silent` symbols have null in their last bar; `absent` ones are unknown.
    Before the end of a session its bar is the latest price.
    """

    def __init__(
        self,
        symbols: Iterable[str],
        sessions: dict[date, Session],
        clock: Clock,
        price: Callable[[str, datetime], float] | None = None,
    ) -> None:
        self.symbols = set(symbols)
        self.sessions = sessions
        self.clock = clock
        self.price = price or self.default_price
        self.closes: dict[tuple[str, date], float] = {}
        self.splits: dict[tuple[str, date], tuple[int, int]] = {}
        self.dividends: dict[tuple[str, date], float] = {}
        self.currencies: dict[str, str] = {}
        self.silent: set[str] = set()
        self.absent: set[str] = set()
        # How long after a session's end the closing auction is told of.
        self.auction = timedelta(seconds=1)

    @staticmethod
    def default_price(symbol: str, at: datetime) -> float:
        base = 50 + sum(ord(letter) for letter in symbol) % 400
        return round(base * (1 + 0.01 * math.sin(at.timestamp() / 7000)), 2)

    def close_of(self, symbol: str, day: date) -> float:
        return self.closes.get((symbol, day)) or self.price(symbol, self.sessions[day].closes)

    def _splits_of(self, symbol: str) -> dict[date, tuple[int, int]]:
        """The splits that are known: Yahoo tells of one from midnight of its ex-date on."""
        today = self.clock().astimezone(NEW_YORK).date()
        return {day: by for (of, day), by in self.splits.items() if of == symbol and day <= today}

    def told_close(self, symbol: str, day: date) -> float:
        """The close as Yahoo tells it: divided by every split since."""
        close = self.close_of(symbol, day)
        for ex_date, (new, old) in self._splits_of(symbol).items():
            close *= old / new if day < ex_date else 1
        return close

    def _last_trade(self) -> datetime:
        """The newest moment at which the exchange traded."""
        now = self.clock()
        begun = [s for s in self.sessions.values() if s.opens <= now]
        session = max(begun, key=lambda s: s.opens)
        if now < session.closes:
            return now.replace(microsecond=0)
        over = now >= session.closes + self.auction
        return session.closes + (self.auction if over else -timedelta(seconds=1))

    def knows(self, symbol: str) -> bool:
        return symbol in self.symbols and symbol not in self.absent

    def quotes(self, symbols: Iterable[str]) -> dict[str, Any]:
        at = self._last_trade()
        rows = [
            {
                "symbol": symbol,
                "quoteType": "EQUITY",
                "currency": self.currencies.get(symbol, "USD"),
                "marketState": "REGULAR",
                "regularMarketPrice": None if symbol in self.silent else self.price(symbol, at),
                "regularMarketTime": int(at.timestamp()),
                "exchangeTimezoneName": "America/New_York",
                "sourceInterval": 15,
                "tradeable": False,
            }
            for symbol in symbols
            if self.knows(symbol)
        ]
        return {"quoteResponse": {"result": rows, "error": None}}

    def days(self, symbol: str, first: datetime, last: datetime) -> dict[str, Any]:
        """Daily bars from `first` to before `last`, stamped at the open; the latest, at its last
        trade."""
        now, traded = self.clock(), self._last_trade()
        stamps, prices = [], []
        for day in sorted(self.sessions):
            session = self.sessions[day]
            if not first <= session.opens < last or session.opens > now:
                continue
            is_latest = session.opens <= traded <= session.closes + self.auction
            stamps.append(int((traded if is_latest else session.opens).timestamp()))
            ended = traded >= session.closes
            prices.append(self.told_close(symbol, day) if ended else self.price(symbol, traded))
        return self._chart(symbol, stamps, prices, "1d")

    def minutes(self, symbol: str) -> dict[str, Any]:
        """The bars of the latest day so far, one a minute."""
        traded = self._last_trade()
        session = max(
            (s for s in self.sessions.values() if s.opens <= traded), key=lambda s: s.opens
        )
        count = int((min(traded, session.closes) - session.opens).total_seconds() // 60) + 1
        moments = [session.opens + timedelta(minutes=n) for n in range(count)]
        stamps = [int(at.timestamp()) for at in moments]
        return self._chart(symbol, stamps, [self.price(symbol, at) for at in moments], "1m")

    def _chart(
        self, symbol: str, stamps: list[int], prices: list[float], interval: str
    ) -> dict[str, Any]:
        told: list[float | None] = [single(price) for price in prices]
        if symbol in self.silent and told:
            told[-1] = NAN
        traded = self._last_trade()
        session = self.sessions[traded.astimezone(NEW_YORK).date()]
        offset = int(traded.astimezone(NEW_YORK).utcoffset().total_seconds())  # type: ignore[union-attr]
        regular = {
            "timezone": "EST",
            "start": int(session.opens.timestamp()),
            "end": int(session.closes.timestamp()),
            "gmtoffset": offset,
        }
        meta: dict[str, Any] = {
            "currency": self.currencies.get(symbol, "USD"),
            "symbol": symbol,
            "exchangeName": "NYQ",
            "instrumentType": "EQUITY",
            "firstTradeDate": -252322200,
            "regularMarketTime": int(traded.timestamp()),
            "gmtoffset": offset,
            "timezone": "EST",
            "exchangeTimezoneName": "America/New_York",
            "regularMarketPrice": prices[-1] if prices else None,
            "priceHint": 2,
            "currentTradingPeriod": {"pre": regular, "regular": regular, "post": regular},
            "dataGranularity": interval,
            "range": "",
            "validRanges": VALID_RANGES,
        }
        if interval == "1m":
            meta["tradingPeriods"] = [[regular]]
        bars = dict.fromkeys(("open", "high", "low", "close"), told)
        result: dict[str, Any] = {
            "meta": meta,
            "indicators": {
                "quote": [{**bars, "volume": [None if p is None else 1000 for p in told]}],
                "adjclose": [{"adjclose": [None if p is None else p * 0.98 for p in told]}],
            },
        }
        if stamps:
            result["timestamp"] = stamps
        events: dict[str, Any] = {}
        if splits := self._splits_of(symbol):
            events["splits"] = {
                str(int(self.sessions[day].opens.timestamp())): {
                    "date": int(self.sessions[day].opens.timestamp()),
                    "numerator": new, "denominator": old, "splitRatio": f"{new}:{old}",
                }
                for day, (new, old) in splits.items()
            }  # fmt: skip
        if paid := {day: cash for (of, day), cash in self.dividends.items() if of == symbol}:
            events["dividends"] = {
                str(int(self.sessions[day].opens.timestamp())): {
                    "date": int(self.sessions[day].opens.timestamp()), "amount": cash,
                }
                for day, cash in paid.items()
            }  # fmt: skip
        if events:
            result["events"] = events
        return {"chart": {"result": [result], "error": None}}


def no_such_symbol() -> dict[str, Any]:
    detail = "No data found, symbol may be delisted"
    return {"chart": {"result": None, "error": {"code": "Not Found", "description": detail}}}


def moment(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
