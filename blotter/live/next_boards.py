"""The choice of the boards that are read next, and the readers that take them.

A reader takes boards that have something unread and that nobody else is reading; what is noted
while it reads stays unread. So a board is read by one at a time, and a row is never followed by an
older one.

The first change after a quiet moment is read at once. After a reading its boards rest for as long
as it took, 100 ms at most: what changes meanwhile is gathered. The reader itself rests as long, so
that under load half of the time is left for sending. What somebody did goes before prices that
moved by themselves, and both before boards that are only compared.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from blotter.live import board_rows
from blotter.live.board import Board
from blotter.live.boards import Boards, Changed
from blotter.live.figures import Figures
from blotter.live.unread import Unread

logger = logging.getLogger(__name__)

GATHER_SECONDS = 0.1
RETRY_SECONDS = 1.0
MOST_AT_ONCE = 50
"""Boards of one reading: a booking in one of them waits for the rest of them."""


class Readers:
    """`told` is called with what a reading changed. `checked` with a board that was only compared,
    and what differed."""

    def __init__(
        self,
        boards: Boards,
        threads: int,
        told: Callable[[Changed], None],
        checked: Callable[[Board, Changed], None],
        figures: Figures,
    ) -> None:
        self._boards = boards
        self._figures = figures
        self._told = told
        self._checked = checked
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="hub-reads")
        self._something = asyncio.Event()

    def wake(self) -> None:
        """Something may be unread."""
        self._something.set()

    def tasks(self) -> list[asyncio.Task[None]]:
        """The readers, at work until cancelled."""
        return [asyncio.create_task(self._read_forever()) for _ in range(self._threads)]

    async def _read_forever(self) -> None:
        while True:
            try:
                began = time.monotonic()
                if self._prices_due():
                    await self._read_prices()
                elif due := self._due():
                    await self._read(due)
                else:
                    await self._wait()
                    continue
                await asyncio.sleep(min(time.monotonic() - began, GATHER_SECONDS))
            except Exception as error:  # noqa: BLE001 - whatever the database's client raises
                logger.warning("boards not read, trying again: %r", error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _wait(self) -> None:
        """Until something becomes unread, or a board that has something has rested."""
        now = asyncio.get_running_loop().time()
        boards, prices = self._boards.by_account.values(), self._boards.prices
        rests = [b.rests_until for b in boards if b.unread and not b.is_being_read]
        if prices.watchers and prices.unread and not prices.is_being_read:
            rests.append(prices.rests_until)
        self._something.clear()
        try:
            async with asyncio.timeout(max(0.0, min(rests) - now) if rests else None):
                await self._something.wait()
        except TimeoutError:
            pass

    # --- prices ---------------------------------------------------------------------------------

    def _prices_due(self) -> bool:
        prices = self._boards.prices
        if not prices.watchers or not prices.unread or prices.is_being_read:
            return False
        return prices.rests_until <= asyncio.get_running_loop().time()

    async def _read_prices(self) -> None:
        prices = self._boards.prices
        taken, prices.unread = prices.unread, Unread()
        prices.is_being_read = True
        began = time.monotonic()
        try:
            self._tell(await self._run(partial(board_rows.read_prices, taken)))
        except BaseException:
            prices.unread.put_back(taken)
            raise
        finally:
            prices.is_being_read = False
            prices.rests_until = self._rest(began)

    # --- accounts -------------------------------------------------------------------------------

    def _due(self) -> list[Board]:
        """Boards to read now, together: one kind, the most urgent there is."""
        now = asyncio.get_running_loop().time()
        due = [
            board
            for board in self._boards.by_account.values()
            if board.unread and not board.is_being_read and board.rests_until <= now
        ]
        urgent = [b for b in due if b.unread.urgent] or [b for b in due if not b.unread.checks]
        return (urgent or due)[:MOST_AT_ONCE]

    async def _read(self, boards: list[Board]) -> None:
        taken: list[tuple[Board, Unread]] = []
        for board in boards:
            taken.append((board, board.unread))
            board.unread, board.is_being_read = Unread(), True
        wanted = [board_rows.Wanted(b.account, b.code, b.needed, unread) for b, unread in taken]
        began = time.monotonic()
        try:
            found = await self._run(partial(board_rows.read_accounts, wanted, self._boards.names))
            changed = self._tell(found, boards)
        except BaseException:
            for board, unread in taken:
                board.unread.put_back(unread)
            raise
        finally:
            rests_until = self._rest(began)
            for board in boards:
                board.is_being_read, board.rests_until = False, rests_until
        for board, unread in taken:
            if unread.whole:
                board.read_whole_at = asyncio.get_running_loop().time()
            if unread.checks and not board.unread:
                self._checked(board, changed)

    async def _run(self, job: Callable[[], board_rows.Read]) -> board_rows.Read:
        loop = asyncio.get_running_loop()
        began = time.monotonic()
        found, seconds = await loop.run_in_executor(self._pool, partial(_timed, job))
        self._figures.reading_seconds += seconds
        self._figures.read_seconds += time.monotonic() - began
        return found

    def _rest(self, began: float) -> float:
        took = time.monotonic() - began
        return asyncio.get_running_loop().time() + min(took, GATHER_SECONDS)

    def _tell(self, found: board_rows.Read, boards: Sequence[Board] = ()) -> Changed:
        """Take over what was read of these boards. One of the same account that was made after
        they were given up has a reading of its own."""
        there = {b.account for b in boards if self._boards.by_account.get(b.account) is b}
        accounts = [one for one in found.accounts if one.account in there]
        self._figures.readings += 1
        self._figures.rows_read += sum(map(len, found.accounts))
        began = time.thread_time()
        changed = self._boards.take_over(found.moment, accounts, found.prices)
        self._figures.comparing_seconds += time.thread_time() - began
        if changed:
            self._told(changed)
        # What it found out may have made more unread.
        self.wake()
        return changed


def _timed(job: Callable[[], board_rows.Read]) -> tuple[board_rows.Read, float]:
    """The job's reading, and the CPU time of this thread that it took."""
    began = time.thread_time()
    found = board_rows.with_connection(job)
    return found, time.thread_time() - began
