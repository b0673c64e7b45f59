"""The kinds of exceptions, and what every one of them says of itself. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

OFF_MARKET, LATE, AMENDED, DUPLICATE = "off_market", "late", "amended", "duplicate"
OVERRIDE, PARTIAL = "override", "partial"
REJECTED, HELD, BREACH = "rejected", "held", "breach"
KINDS = (BREACH, OFF_MARKET, DUPLICATE, LATE, AMENDED, OVERRIDE, PARTIAL, HELD, REJECTED)
"""In the order in which they are listed."""
OFF_PERCENT = Decimal(5)
"""Strictly further than this from the mark, or from a past date's close, is off market."""
MOST = 500
"""So many of a kind are listed, the newest."""


@dataclass(frozen=True)
class Asked:
    """Which session's, in which accounts; `since` and `until` are the moments between which the
    session was the business date, the second not included."""

    session: date
    since: datetime
    until: datetime
    now: datetime
    is_today: bool
    accounts: Sequence[int]


@dataclass(frozen=True)
class Found:
    """One exception. `key` tells it from all others of its kind, for ever: what becomes worse or is
    changed again is another one, that nobody has reviewed. `account` is null where it is of
    several or of none."""

    kind: str
    key: str
    at: datetime
    detail: str
    account: str | None = None
    ticker: str | None = None
    by: str | None = None
    trade: str | None = None
    version: int | None = None
    import_id: str | None = None

    @property
    def id(self) -> str:
        return f"{self.kind}:{self.key}"
