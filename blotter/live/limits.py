"""Limits of a user, a connection and a process. Pure, but for the event loop's clock.

Settings and their names: docs/runbooks/scale.md.
"""

import asyncio
from collections import Counter
from collections.abc import Callable


class Places:
    """Connections that are open: so many a user, and so many in all."""

    def __init__(self, per_user: int, in_all: int) -> None:
        self._per_user, self._in_all = per_user, in_all
        self._taken: Counter[int] = Counter()

    def is_full(self) -> bool:
        return self._taken.total() >= self._in_all

    def take(self, user: int) -> bool:
        """True if the user may have one more; if so, it is taken."""
        if self._taken[user] >= self._per_user:
            return False
        self._taken[user] += 1
        return True

    def give_back(self, user: int) -> None:
        self._taken[user] -= 1
        if not self._taken[user]:
            del self._taken[user]


class Pace:
    """A user's messages: some at once, as when all of a desk's pages come back, then so many a
    second. Who sends more waits; nobody else does."""

    def __init__(self, per_second: float, at_once: int) -> None:
        self._interval = 1 / per_second
        self._ahead = (at_once - 1) * self._interval
        self._next: dict[int, float] = {}

    def delay(self, user: int, now: float) -> float:
        """Seconds that this message has to wait."""
        due = max(self._next.get(user, 0.0), now)
        self._next[user] = due + self._interval
        return max(0.0, due - self._ahead - now)

    def forget(self, now: float) -> None:
        """Forget who has been quiet for long enough."""
        self._next = {user: due for user, due in self._next.items() if due > now}


class Room:
    """Snapshots wait while too much has been given to sockets that they have not sent.

    `unsent` adds up what all sockets still hold; that is asked only when what was let through since
    could have filled the room. `crowded` is called while somebody waits, to make room."""

    POLL_SECONDS = 0.02

    def __init__(self, limit: int, unsent: Callable[[], int], crowded: Callable[[], None]) -> None:
        self._limit = limit
        self._unsent = unsent
        self._crowded = crowded
        self._at_most = 0
        self._queue = asyncio.Lock()

    async def enter(self, size: int) -> None:
        """Wait, in turn, until so many bytes more may be given to a socket. What alone is larger
        than the room goes when there is nothing else."""
        async with self._queue:
            while self._at_most and self._at_most + size > self._limit:
                self._at_most = self._unsent()
                if not self._at_most or self._at_most + size <= self._limit:
                    break
                self._crowded()
                await asyncio.sleep(self.POLL_SECONDS)
            self._at_most += size
