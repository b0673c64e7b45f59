"""Boards are read again whole, one after the other, and compared with what was thought to hold.

What differs was missed: a notice was lost that neither the pulse nor the beacon found, or marking
what changed has a defect. A reading may also be ahead of its notice, so a difference counts only
when nothing that explains it comes within some seconds. Pure, but for the event loop's clock.
"""

import asyncio
import logging
from math import ceil

from blotter.live.board import Board
from blotter.live.boards import Boards, Changed

logger = logging.getLogger(__name__)

ROUND_SECONDS = 120.0
"""Each board once in so long, if the readers have the time."""
EXPLAINED_SECONDS = 10.0


class Comparison:
    def __init__(self, boards: Boards) -> None:
        self._boards = boards
        self._differed: dict[Board, float] = {}
        self._priced: set[Board] = set()
        self.differences = 0

    def go_on(self, seconds: float) -> None:
        """Have the boards compared whose turn it is, when so many seconds have passed; count what
        nothing has explained."""
        now = asyncio.get_running_loop().time()
        boards = sorted(self._boards.by_account.values(), key=lambda board: board.read_whole_at)
        for board in boards[: ceil(len(boards) * seconds / ROUND_SECONDS)]:
            if board.is_read and not board.unread and now - board.read_whole_at > ROUND_SECONDS:
                board.unread.all().checks = True
        for board, at in list(self._differed.items()):
            if now - at > EXPLAINED_SECONDS:
                self.explained(board)
                self.differences += 1
                logger.error("account %s differed from what was known of it", board.code)

    def compared(self, board: Board, changed: Changed) -> None:
        """A board was compared and nothing was known to have changed."""
        if board.account in changed.accounts:
            self._differed[board] = asyncio.get_running_loop().time()
            if board.account not in changed.reshaped:
                self._priced.add(board)

    def explained(self, board: Board) -> None:
        """A notice of this account came."""
        self._differed.pop(board, None)
        self._priced.discard(board)

    def prices_moved(self) -> None:
        """A move of prices explains the differences that prices can make."""
        for board in list(self._priced):
            self.explained(board)
