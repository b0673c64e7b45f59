"""What a price source is: a name, the latest quotes, and official closes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from prices.models import Instrument


class SourceUnavailable(Exception):
    """The source could not be asked. The last prices stay; the next run asks again."""


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


class PriceSource(Protocol):
    """A ticker that the source does not know, or not now, is left out: never an error.

    Both calls raise SourceUnavailable when nothing could be asked. Prices come rounded as
    `kernel.money.round_source_price` does.
    """

    @property
    def name(self) -> str: ...

    @property
    def ticks_at_any_hour(self) -> bool:
        """Whether quotes come, and count, while the exchange is closed."""
        ...

    def quotes(self, instruments: Sequence[Instrument], *, now: datetime) -> list[SourceQuote]:
        """The latest quote of each instrument, none later than `now`."""
        ...

    def closes(
        self, instruments: Sequence[Instrument], first: date, last: date
    ) -> list[SourceClose]:
        """The closes of all sessions from `first` to `last`, inclusive."""
        ...
