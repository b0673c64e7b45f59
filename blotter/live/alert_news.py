"""Firings of alerts, told to the users whose they are: on every page, until they are seen.

Who comes is told what they have not seen, so that it does not matter who died before telling it;
pages know a firing by its id.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from functools import partial

from blotter.live.board_rows import read_alerts
from blotter.live.watcher import Watcher
from kernel.api.rows import Row

GATHER_SECONDS = 0.1

Rows = dict[str, tuple[int, Row]]


class AlertNews:
    """`watchers`: all of them, as they come and go. `run` runs a blocking job in a thread."""

    def __init__(
        self,
        watchers: Collection[Watcher],
        run: Callable[[Callable[[], Rows]], Awaitable[Rows]],
    ) -> None:
        self._watchers = watchers
        self._run = run
        self._moved: set[str] = set()
        self._came: set[int] = set()
        self._something = asyncio.Event()

    def heard(self, firing: str) -> None:
        """An alert fired, or was seen."""
        self._moved.add(firing)
        self._something.set()

    def came(self, user: int) -> None:
        """This user has subscribed, or notices for them may have been lost."""
        self._came.add(user)
        self._something.set()

    async def tell(self) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            (moved, self._moved), (came, self._came) = (self._moved, set()), (self._came, set())
            try:
                rows = await self._run(partial(read_alerts, moved, came))
            except BaseException:
                # It is looked for again as soon as the database answers.
                self._moved |= moved
                self._came |= came
                self._something.set()
                raise
            for watcher in list(self._watchers):
                for user, row in rows.values():
                    if user == watcher.user_id:
                        watcher.send_alert(row)
            await asyncio.sleep(GATHER_SECONDS)
