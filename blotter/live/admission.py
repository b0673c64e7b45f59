"""Logins and rights of new connections, asked of the database for all who wait at once.

While one question is on its way, those that come are gathered for the next: two thousand pages that
come back at once cost a few queries, and each waits for two of them at most.
"""

import asyncio
from collections.abc import Callable, Collection, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Generic, TypeVar

from accounts.selectors import viewable
from blotter.live.board_rows import with_connection
from blotter.live.logins import Login, users_of
from kernel import clock

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


class Asked(Generic[Key, Answer]):
    """Questions of one kind; None for a key that has no answer."""

    def __init__(
        self, pool: ThreadPoolExecutor, answer: Callable[[Collection[Key]], Mapping[Key, Answer]]
    ) -> None:
        self._pool = pool
        self._answer = answer
        self._waiting: dict[Key, asyncio.Future[Answer | None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def ask(self, keys: Collection[Key]) -> dict[Key, Answer | None]:
        """Raise what the database raises."""
        loop = asyncio.get_running_loop()
        waits = {}
        for key in keys:
            if key not in self._waiting:
                self._waiting[key] = loop.create_future()
            waits[key] = self._waiting[key]
        if self._task is None and self._waiting:
            self._task = loop.create_task(self._answer_all())
        return {key: await asyncio.shield(wait) for key, wait in waits.items()}

    async def _answer_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            asked, self._waiting = self._waiting, {}
            job = partial(with_connection, partial(self._answer, list(asked)))
            try:
                found = await loop.run_in_executor(self._pool, job)
            except Exception as error:  # noqa: BLE001 - whoever waits is told
                for wait in asked.values():
                    wait.set_exception(error)
                    wait.exception()  # one that nobody waits for any more is no news
            else:
                for key, wait in asked.items():
                    wait.set_result(found.get(key))
        self._task = None


class Admission:
    """Answers who comes in and what they may see, on threads of its own: no question waits for
    boards that are being read."""

    def __init__(self) -> None:
        pool = ThreadPoolExecutor(2, thread_name_prefix="hub-admits")
        self._logins = Asked[Login, int](pool, lambda logins: users_of(logins, clock.now()))
        self._views = Asked[tuple[int, str], int](pool, viewable)

    async def user_of(self, login: Login) -> int | None:
        return (await self._logins.ask([login]))[login]

    async def accounts_of(self, user: int, codes: Collection[str]) -> dict[str, int | None]:
        """By code, the accounts that the user may view now; None for the others."""
        found = await self._views.ask([(user, code) for code in codes])
        return {code: account for (_, code), account in found.items()}
