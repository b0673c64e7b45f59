"""A board: all that is shown of one account, once for all who watch it. Pure.

Boards change only in `blotter.live.boards`, which moves the version on.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime

from blotter.live.day_trades import DayTrades, held_of
from blotter.live.kept import Kept
from blotter.live.kind import Kind
from blotter.live.unread import Unread

REMEMBERED_ROWS = 1_000
"""Of each kind, keys that are gone."""


@dataclass(eq=False)
class Board:
    """One account. `is_read` says that everything was read for the present business date."""

    account: int
    code: str
    kinds: Sequence[Kind]
    unread: Unread = field(default_factory=Unread)
    is_being_read: bool = False
    rests_until: float = 0.0
    """By the event loop's clock: what changes before then is gathered."""
    read_whole_at: float = 0.0
    depth: int = 0
    """The longest window that somebody who watches it has asked for."""
    share: int = 0
    """The most trades that it likely has in a window of somebody who watches it; more, once those
    were too few."""
    is_read: bool = False
    changed_at: int = 0
    read_at: datetime | None = None
    trades_total: int = 0
    trades_total_at: int = 0

    def __post_init__(self) -> None:
        self.forget(0)

    def forget(self, at: int) -> None:
        """Empty the board, as if it had never been read; whoever was told anything needs a
        snapshot."""
        self.rows = {kind.name: Kept(REMEMBERED_ROWS, at) for kind in self.kinds}
        self.trades = DayTrades(at)
        self.trades_total = 0
        self.trades_total_at = at
        self.is_read = False
        self.changed_at = at
        self.unread.all()

    def __len__(self) -> int:
        """Rows of all kinds, and trades."""
        return sum(map(len, self.rows.values())) + len(self.trades)

    def __bool__(self) -> bool:
        return True

    def held(self, tickers: Set[str]) -> tuple[set[str], bool]:
        """Those of these tickers that have rows here, and True if they are most of the rows."""
        kept = [self.rows[kind.name] for kind in self.kinds if kind.by_instrument]
        held = {ticker for rows in kept for ticker in rows.entries.keys() & tickers}
        return held, 2 * len(held) > max(map(len, kept), default=0)

    def set_trades_total(self, count: int, at: int) -> bool:
        if self.trades_total == count:
            return False
        self.trades_total, self.trades_total_at = count, at
        return True

    @property
    def needed(self) -> int:
        """The number of trades to read, and below which it holds too few."""
        return min(self.depth, self.share)

    def grow(self) -> None:
        """Raise the share of a board that has gathered more: its next reading would let them go."""
        while self.share < self.depth and len(self.trades) > held_of(held_of(self.share)):
            self.share *= 2

    def behind(self, version: int, floor: str) -> bool:
        """True if a connection that was told up to a version, with trades from `floor` on, can be
        told the rest only by a snapshot."""
        if self.trades.behind(version) or any(r.behind(version) for r in self.rows.values()):
            return True
        return self.trades.raised_at > version and floor < self.trades.raised_to
