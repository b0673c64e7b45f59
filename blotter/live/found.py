"""Rows that a reading found, encoded, and the keys that it asked for. Pure.

A row that was asked for and not found is gone. None as what was asked for means everything.
"""

from dataclasses import dataclass, field
from datetime import date, datetime

from blotter.live.day_trades import EVERYTHING


@dataclass
class Moment:
    """The moment, day and source that all rows of a reading share. `now` was taken before the first
    of its queries."""

    now: datetime
    business_date: date
    price_source: str


@dataclass
class AccountFound:
    """Rows of one account, by kind and key; what was asked for by kind, nothing of those that are
    not named. `is_whole`: everything was. Of trades that were all asked for, those from `bottom` on
    were read, as many as a window of `reach` needs, and `trades_total` counts all of the day."""

    account: int
    is_whole: bool = False
    rows: dict[str, dict[str, bytes]] = field(default_factory=dict)
    asked: dict[str, set[str] | None] = field(default_factory=dict)
    trades: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    """By id: the trade's version, the row."""
    asked_trades: set[str] | None = field(default_factory=set)
    bottom: str = EVERYTHING
    reach: int = 0
    trades_total: int = 0

    def __len__(self) -> int:
        return sum(map(len, self.rows.values())) + len(self.trades)

    def put(self, kind: str, key: str, body: bytes) -> None:
        self.rows.setdefault(kind, {})[key] = body


@dataclass
class PricesFound:
    """Rows of prices by ticker, each with the time of its price."""

    rows: dict[str, tuple[bytes, datetime | None]]
    asked: set[str] | None
