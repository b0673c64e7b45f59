"""Breaches of limits, told to who watches all accounts that a limit is of.

A lost notice is not looked for: the list of open breaches makes up for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from functools import partial

from blotter.live.board_rows import read_breaches
from blotter.live.watcher import Watcher
from kernel.api.rows import Row

GATHER_SECONDS = 0.1

Rows = dict[str, Row]


class BreachNews:
    """`watchers`: all of them, as they come and go. `run` runs a blocking job in a thread."""

    def __init__(
        self,
        watchers: Collection[Watcher],
        run: Callable[[Callable[[], Rows]], Awaitable[Rows]],
    ) -> None:
        self._watchers = watchers
        self._run = run
        self._moved: dict[str, frozenset[int]] = {}
        self._something = asyncio.Event()

    def heard(self, breach: str, accounts: Collection[int]) -> None:
        """A breach of a limit of these accounts moved."""
        self._moved[breach] = frozenset(accounts)
        self._something.set()

    async def tell(self) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            moved, self._moved = self._moved, {}
            rows = await self._run(partial(read_breaches, set(moved)))
            for watcher in list(self._watchers):
                for breach, accounts in moved.items():
                    if breach in rows and accounts <= set(watcher.view.accounts):
                        watcher.send_breach(rows[breach])
            await asyncio.sleep(GATHER_SECONDS)
