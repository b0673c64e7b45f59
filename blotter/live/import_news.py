"""The progress of imports, told to the users whose they are.

A lost notice is not looked for: the next one, or the page's own question, makes up for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from functools import partial

from blotter.live.board_rows import read_imports
from blotter.live.watcher import Watcher
from kernel.api.rows import Row

GATHER_SECONDS = 0.1


Rows = dict[str, Row]


class ImportNews:
    """`watchers`: all of them, as they come and go. `run` runs a blocking job in a thread."""

    def __init__(
        self,
        watchers: Collection[Watcher],
        run: Callable[[Callable[[], Rows]], Awaitable[Rows]],
    ) -> None:
        self._watchers = watchers
        self._run = run
        self._moved: set[tuple[int, str]] = set()
        self._something = asyncio.Event()

    def heard(self, user: int, import_id: str) -> None:
        """An import of this user came further."""
        self._moved.add((user, import_id))
        self._something.set()

    async def tell(self) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            moved, self._moved = self._moved, set()
            rows = await self._run(partial(read_imports, {i for _, i in moved}))
            for watcher in self._watchers:
                for user, import_id in moved:
                    if user == watcher.user_id and import_id in rows:
                        watcher.send_import(rows[import_id])
            await asyncio.sleep(GATHER_SECONDS)
