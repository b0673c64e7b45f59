"""How far imports are, told to the users whose they are.

A lost notice is not looked for: the next one, or the page's own question, makes up for it.
"""

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from blotter.live.reading import read_imports

if TYPE_CHECKING:
    from blotter.live.hub import Hub

GATHER_SECONDS = 0.1


class ImportNews:
    def __init__(self, hub: "Hub") -> None:
        self._hub = hub
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
            rows = await self._hub.run(partial(read_imports, {i for _, i in moved}))
            for connection in self._hub.connections:
                for user, import_id in moved:
                    if user == connection.user_id and import_id in rows:
                        connection.send_import(rows[import_id])
            await asyncio.sleep(GATHER_SECONDS)
