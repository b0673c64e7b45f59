"""What a reading found: rows, encoded, and what was asked for. Pure.

A row that was asked for and not found is gone. None as what was asked for means everything.
"""

from dataclasses import dataclass, field
from datetime import date, datetime

from blotter.live.day_trades import EVERYTHING


@dataclass
class Moment:
    """What all rows of a reading share. `now` was taken before the first of its queries."""

    now: datetime
    business_date: date
    price_source: str


@dataclass
class AccountFound:
    """Rows of one account; positions by ticker. Of trades that were all asked for, those from
    `bottom` on were read, as many as a window of `reach` needs, and `trades_total` counts all of
    the day."""

    account: int
    positions: dict[str, bytes] = field(default_factory=dict)
    asked_positions: set[str] | None = field(default_factory=set)
    trades: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    """By id: the trade's version, the row."""
    asked_trades: set[str] | None = field(default_factory=set)
    bottom: str = EVERYTHING
    reach: int = 0
    trades_total: int = 0
    total: bytes | None = None


@dataclass
class PricesFound:
    """Rows of prices by ticker, each with the time of its price."""

    rows: dict[str, tuple[bytes, datetime | None]]
    asked: set[str] | None
