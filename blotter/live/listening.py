"""Notices: the groups that a hub is in, and whether it still hears them.

The channel layer does not tell of a lost connection to Redis. So the hub sends itself a beacon
through it each second; when they come back after a gap, any notice may have been lost.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)

BEACON_SECONDS = 1.0
BEACON_MISSED_SECONDS = 3.0
PATIENCE_SECONDS = 1.0
WARN_SECONDS = 10.0
"""Of thousands that come at once and are not told of in time, one line says it."""


class Listener:
    """`heard` is called with each notice. `lost` with the groups of which notices may have been
    missed."""

    def __init__(
        self, heard: Callable[[dict[str, Any]], None], lost: Callable[[set[str]], None]
    ) -> None:
        self._heard = heard
        self._lost = lost
        self._layer: Any = get_channel_layer()
        self._channel = ""
        self._wanted: set[str] = set()
        self._joined: set[str] = set()
        self._joining = asyncio.Lock()
        self._ready = asyncio.Event()
        self._last_beacon = time.monotonic()
        self._warned_at = float("-inf")

    async def join(self, groups: set[str]) -> None:
        """Be in these groups too, before what they tell of is read. Redis is not waited for longer
        than a moment: without it the pulse finds every change, and `follow` makes up for it."""
        self._wanted |= groups
        if groups <= self._joined:
            return
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._ready.wait()
                async with self._joining:
                    await self._join()
        except TimeoutError:
            now = time.monotonic()
            if not groups <= self._joined and now - self._warned_at > WARN_SECONDS:
                self._warned_at = now
                logger.warning("groups not joined in time, the pulse goes on")

    async def follow(self, wanted: set[str]) -> None:
        """Be in these groups and no others. What was told in those that are joined only now is
        lost."""
        self._wanted = wanted
        await self._rejoin()

    async def _rejoin(self) -> None:
        if not self._ready.is_set():
            return
        async with self._joining:
            late = await self._join()
        if late:
            self._lost(late)

    async def _join(self) -> set[str]:
        """The groups that were joined now."""
        before = set(self._joined)
        try:
            for group in self._wanted - self._joined:
                await self._layer.group_add(group, self._channel)
                self._joined.add(group)
            for group in self._joined - self._wanted:
                await self._layer.group_discard(group, self._channel)
            self._joined &= self._wanted
        except Exception as error:  # noqa: BLE001 - whatever the layer's client raises
            logger.warning("groups not joined, the pulse goes on: %r", error)
        return self._joined - before

    async def listen(self) -> None:
        self._last_beacon = time.monotonic()
        self._channel = await self._layer.new_channel("hub")
        self._joined = set()
        self._ready.set()
        await self._rejoin()
        while True:
            message = await self._layer.receive(self._channel)
            if message["type"] == "beacon":
                await self._beacon_came()
            else:
                self._heard(message)

    async def beat(self) -> None:
        while True:
            if self._ready.is_set():
                await self._layer.send(self._channel, {"type": "beacon"})
            await asyncio.sleep(BEACON_SECONDS)

    async def _beacon_came(self) -> None:
        now = time.monotonic()
        if now - self._last_beacon > BEACON_MISSED_SECONDS:
            logger.warning("notices were lost for a while: reading everything again")
            self._joined = set()
            await self._rejoin()
        self._last_beacon = now

    def stop(self) -> None:
        """The channel ended with the task that listened to it."""
        self._ready.clear()
