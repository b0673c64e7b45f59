"""The newest trades of the day of one account, and the window of a connection over several. Pure.

Ids are UUIDv7: their order, as text, is that of booking. Of an account's trades of the day those
from `bottom` on are held, all of them; `reach` is how many were asked for. A window is the newest
so many trades over all accounts, and is known by its lowest id, the floor.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from heapq import merge, nlargest, nsmallest
from itertools import islice

from blotter.live.kept import Kept

REMEMBERED = 2_000
EVERYTHING = ""
NOTHING = "~"
"""As a floor or a bottom: below and above every id."""


def held_of(depth: int) -> int:
    """The number of trades that are read for a window of so many: a tenth more, so that what leaves
    need not be read at once."""
    return depth + depth // 10


class DayTrades(Kept):
    """`total` is how many the account has of the day, held or not."""

    def __init__(self, forgotten: int = 0) -> None:
        super().__init__(REMEMBERED, forgotten)
        self.order: list[str] = []
        self.bottom = NOTHING
        # The highest bottom there was, and the version of the last raise: what lay below was let go
        # of, whether it is of the day still or not.
        self.raised_to = EVERYTHING
        self.raised_at = forgotten
        self.reach = 0
        self.total = 0

    @property
    def is_whole(self) -> bool:
        """True if every trade of the day is held."""
        return self.bottom == EVERYTHING

    def reaches(self, window: int) -> bool:
        return self.is_whole or self.reach >= window

    def is_short(self, window: int) -> bool:
        """True if a window of this account alone has room for trades that are not held."""
        return not self.is_whole and len(self.order) < window

    def put(self, key: str, body: bytes, at: int, more: int = 0) -> bool:
        is_new = key not in self.entries
        changed = super().put(key, body, at, more)
        if is_new:
            insort(self.order, key)
        return changed

    def drop(self, key: str, at: int) -> bool:
        dropped = super().drop(key, at)
        if dropped:
            del self.order[bisect_left(self.order, key)]
        return dropped

    def trim(self, depth: int, at: int) -> list[str]:
        """Let go of the oldest when twice the spare tenth has gathered, and return them: they are
        still of the day."""
        held = held_of(depth)
        if len(self.order) <= held_of(held):
            return []
        self.reach = depth
        return self.raise_bottom(self.order[-held] if held else NOTHING, at)

    def raise_bottom(self, bottom: str, at: int) -> list[str]:
        """Hold nothing below this id any more; what was held there."""
        place = bisect_left(self.order, bottom)
        let_go, self.order = self.order[:place], self.order[place:]
        for key in let_go:
            del self.entries[key]
        self.set_bottom(bottom, at)
        return let_go

    def set_bottom(self, bottom: str, at: int) -> None:
        if bottom > self.bottom:
            self.raised_to, self.raised_at = max(bottom, self.raised_to), at
        self.bottom = bottom

    def between(self, floor: str, ceiling: str) -> list[str]:
        """Held ids from `floor` on, below `ceiling`, oldest first."""
        return self.order[bisect_left(self.order, floor) : bisect_left(self.order, ceiling)]


def share_of(window: int, accounts: int) -> int:
    """The number of trades that each of so many accounts likely has in a window over all of them,
    and as many again."""
    return min(window, -(-2 * window // max(1, accounts)))


def is_full(boards: Sequence[DayTrades], window: int) -> bool:
    """True if a window over all of them is known to its lower end."""
    if all(trades.reaches(window) for trades in boards):
        return True
    lowest = max(trades.bottom for trades in boards)
    return sum(len(t.order) - bisect_left(t.order, lowest) for t in boards) >= window


def floor_of(boards: Sequence[DayTrades], window: int) -> str:
    """The lowest id of the window; all that is held when it is less than the window."""
    if window == 0 or not boards:
        return NOTHING
    lowest = max(trades.bottom for trades in boards)
    newest = merge(*(reversed(t.between(lowest, NOTHING)) for t in boards), reverse=True)
    full = list(islice(newest, window + 1))
    return full[window - 1] if len(full) > window else lowest


def moved_floor(boards: Sequence[DayTrades], window: int, floor: str) -> str:
    """The floor after changes, from what it was: the same as `floor_of`, at the price of what
    changed."""
    lowest = max((trades.bottom for trades in boards), default=NOTHING)
    if window == 0 or floor < lowest or not boards:
        return floor_of(boards, window)
    places = [bisect_left(trades.order, floor) for trades in boards]
    count = sum(len(t.order) - place for t, place in zip(boards, places, strict=True))
    if count > window:
        over = count - window
        if over > window:
            return floor_of(boards, window)
        pieces = [t.order[p : p + over + 1] for t, p in zip(boards, places, strict=True)]
        return nsmallest(over + 1, (key for piece in pieces for key in piece))[-1]
    if count < window and floor > lowest:
        short = window - count
        # One more than is taken, or nobody knows whether any is left.
        pieces = [t.order[max(0, p - short - 1) : p] for t, p in zip(boards, places, strict=True)]
        below = [key for piece in pieces for key in piece if key >= lowest]
        # With all of them taken and room left, the floor is where knowledge ends.
        return nlargest(short, below)[-1] if len(below) > short else lowest
    return floor
