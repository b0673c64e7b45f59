"""A board: all that is shown of one account, once for all who watch it. Pure.

Boards change only in `blotter.live.boards`, which moves the version on.
"""

from dataclasses import dataclass, field
from datetime import datetime

from blotter.live.day_trades import DayTrades
from blotter.live.kept import Entry, Kept
from blotter.live.unread import Unread

REMEMBERED_POSITIONS = 1_000


@dataclass(eq=False)
class Board:
    """One account. `is_read` says that everything was read for the present business date."""

    account: int
    code: str
    unread: Unread = field(default_factory=Unread)
    is_being_read: bool = False
    rests_until: float = 0.0
    """By the event loop's clock: what changes before then is gathered."""
    read_whole_at: float = 0.0
    depth: int = 0
    """The longest window that somebody who watches it has asked for."""
    is_read: bool = False
    changed_at: int = 0
    read_at: datetime | None = None
    total: Entry | None = None
    trades_total: int = 0
    trades_total_at: int = 0

    def __post_init__(self) -> None:
        self.forget(0)

    def forget(self, at: int) -> None:
        """As if it had never been read; whoever was told anything needs a snapshot."""
        self.positions = Kept(REMEMBERED_POSITIONS, at)
        self.trades = DayTrades(at)
        self.total = None
        self.trades_total = 0
        self.trades_total_at = at
        self.is_read = False
        self.changed_at = at
        self.unread.all()

    def take_total(self, body: bytes, at: int) -> bool:
        """Whether the total differs."""
        if self.total is not None and self.total.body == body:
            return False
        self.total = Entry(body, at)
        return True

    def set_trades_total(self, count: int, at: int) -> bool:
        if self.trades_total == count:
            return False
        self.trades_total, self.trades_total_at = count, at
        return True

    def serves(self, window: int) -> bool:
        """Whether a snapshot with so many trades can be made of it."""
        return self.is_read and self.trades.reaches(window)

    def behind(self, version: int, floor: str) -> bool:
        """Whether who has been told up to a version, with trades from `floor` on, can be told the
        rest only by a snapshot."""
        if self.positions.behind(version) or self.trades.behind(version):
            return True
        return self.trades.bottom_at > version and floor < self.trades.bottom
