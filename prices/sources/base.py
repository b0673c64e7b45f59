"""A price source has a name and gives the latest quotes and official closes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from prices.models import Instrument


class FailureKind(StrEnum):
    """The reason why a source gave no answer, in the words of metrics and of the system page."""

    RATE_LIMITED = "rate_limited"  # it says that it is asked too often (429)
    REFUSED = "refused"  # it answers, but not this (401, 403, 404)
    SERVER_ERROR = "server_error"  # 5xx
    TIMEOUT = "timeout"
    MALFORMED = "malformed"  # an answer that cannot be read, such as half a JSON
    NETWORK = "network"  # no connection
    EMPTY = "empty"  # it answers and knows none of many
    FILE = "file"  # a file that cannot be read


class SourceUnavailable(Exception):
    """The source could not be asked, or not for all. The last prices stay; the next run asks again.

    `quotes` and `closes` are what was answered all the same; `retry_after` is how long the source
    itself asked to be left alone; `is_partial` says that it answers, and only single instruments
    failed.
    """

    def __init__(
        self,
        detail: str,
        *,
        kind: FailureKind = FailureKind.NETWORK,
        retry_after: timedelta | None = None,
        is_partial: bool = False,
        quotes: "Sequence[SourceQuote]" = (),
        closes: "Sequence[SourceClose]" = (),
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.retry_after = retry_after
        self.is_partial = is_partial
        self.quotes = list(quotes)
        self.closes = list(closes)


@dataclass(frozen=True)
class SourceQuote:
    """A price in the instrument's currency, and when the source says it was made (UTC)."""

    ticker: str
    price: Decimal
    as_of: datetime


@dataclass(frozen=True)
class SourceClose:
    """The official close of one session."""

    ticker: str
    session: date
    close: Decimal


@dataclass(frozen=True)
class SourceEvent:
    """A corporate action that a source tells of: a split's new shares for one old, or a dividend's
    cash for one share of then."""

    ticker: str
    ex_date: date
    kind: str
    value: Decimal


class PriceSource(Protocol):
    """A ticker that the source does not know, or not now, is left out: never an error.

    Both calls raise SourceUnavailable when some could not be asked. Prices come rounded as
    `kernel.money.round_source_price` does.
    """

    @property
    def name(self) -> str: ...

    @property
    def ticks_at_any_hour(self) -> bool:
        """True if quotes come, and count, while the exchange is closed."""
        ...

    @property
    def left_out(self) -> Mapping[str, str]:
        """The tickers whose last answer was of another listing than was meant, and what was wrong
        with it: those too are missing."""
        ...

    @property
    def events(self) -> Sequence[SourceEvent]:
        """The corporate actions that the last answered call for closes told of."""
        ...

    def quotes(self, instruments: Sequence[Instrument], *, now: datetime) -> list[SourceQuote]:
        """The latest quote of each instrument, asked from `now` on; none later than
        when it was answered."""
        ...

    def closes(
        self, instruments: Sequence[Instrument], first: date, last: date, *, now: datetime
    ) -> list[SourceClose]:
        """The closes, official at `now`, of all sessions from `first` to `last`, inclusive."""
        ...
