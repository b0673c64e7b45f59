"""Logins and rights that have ended, looked for every second. It has a thread and a database
connection of its own, so that no load of readings or snapshots puts it off."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol

from accounts.browser_sessions import sessions_used
from accounts.selectors import viewable
from blotter.live.board_rows import with_connection
from blotter.live.composing import View
from blotter.live.logins import Login, users_of
from blotter.live.watcher import Watcher
from kernel import clock

logger = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
USED_EVERY = 60
"""Looks; a page that watches uses its session without asking for anything."""

Pair = tuple[int, str]


class Watched(Protocol):
    """The hub, as this module needs it: who watches what, and how that is narrowed."""

    connections: set[Watcher]

    def accounts_of(self, view: View) -> dict[int, str]: ...
    async def watch(
        self,
        connection: Watcher,
        accounts: Mapping[int, str],
        trades: int,
        prices: frozenset[str] | None,
    ) -> None: ...


class Revocation:
    def __init__(self, hub: Watched) -> None:
        self._hub = hub
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="hub-revokes")
        self._looks = 0

    async def watch(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self._look()

    async def _look(self) -> None:
        hub = self._hub
        watched = {
            connection: (connection.view, hub.accounts_of(connection.view))
            for connection in hub.connections
        }
        logins = {connection.login for connection in watched}
        pairs = {(c.user_id, code) for c, (_, codes) in watched.items() for code in codes.values()}
        watching = {connection.login.session for connection, (_, codes) in watched.items() if codes}
        used = watching - {""} if self._looks % USED_EVERY == 0 else set()
        self._looks += 1
        loop = asyncio.get_running_loop()
        users, allowed = await loop.run_in_executor(
            self._pool, partial(with_connection, _asks(logins, pairs, used))
        )
        for connection, (view, accounts) in watched.items():
            if users.get(connection.login) != connection.user_id:
                connection.end_login()
                continue
            kept = {
                account: code
                for account, code in accounts.items()
                if allowed.get((connection.user_id, code)) == account
            }
            # Unless it has subscribed anew meanwhile, which was checked then.
            if len(kept) < len(accounts) and connection.view is view:
                lost = sorted(set(accounts.values()) - set(kept.values()))
                connection.send_not_entitled(lost)
                await hub.watch(connection, kept, view.trades, view.prices)


def _asks(
    logins: set[Login], pairs: set[Pair], used: set[str]
) -> Callable[[], tuple[dict[Login, int], dict[Pair, int]]]:
    def ask() -> tuple[dict[Login, int], dict[Pair, int]]:
        now = clock.now()
        sessions_used(used, now)
        return users_of(logins, now), viewable(pairs)

    return ask
