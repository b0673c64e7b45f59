"""A world, its boards and clients of them, to be read at chosen moments."""

from typing import Any

from blotter.live.board import Board
from blotter.live.boards import Boards
from blotter.live.composing import Composer, View
from blotter.live.unread import Unread
from tests.blotter.live_world import (
    CODES,
    START,
    Client,
    World,
    deepen,
    new_boards,
    read_all,
    take_over,
)

A, B, C = 1, 2, 3
IBM, XOM = 11, 12


class Desk:
    """A world, its boards, and clients."""

    def __init__(self, *views: View) -> None:
        self.world = World()
        self.boards: Boards
        self.composer: Composer
        self.boards, self.composer = new_boards()
        self.views = views
        self.clients: list[Client] = []

    def open(self) -> None:
        """Boards of all views, read; every client has its snapshot."""
        for view in self.views:
            for account in view.accounts:
                self.boards.add(account, CODES[account])
            client = Client(self.boards, self.composer)
            client.watch(view)
            self.clients.append(client)
        self.deepen()
        self.settle()
        self.told()

    def board(self, account: int) -> Board:
        return self.boards.by_account[account]

    def deepen(self) -> None:
        deepen(self.boards, [client.view for client in self.clients])

    def settle(self) -> None:
        read_all(self.world, self.boards, [client.view for client in self.clients])

    def told(self) -> list[dict[str, Any] | None]:
        return [client.take(START) for client in self.clients]

    def moves(self, key: str, left: int, entered: int) -> None:
        """Amended into another account; both are told."""
        self.world.trades[key] = entered, self.world.trades[key][1] + 1
        for account in (left, entered):
            self.board(account).unread.keys(set(), {key})

    def check(self) -> None:
        self.settle()
        self.told()
        for client in self.clients:
            assert client.shows() == self.world.shown(client.view)


def read(desk: Desk, account: int) -> None:
    board = desk.board(account)
    taken, board.unread = board.unread, Unread()
    found = desk.world.read(account, taken, board.needed)
    views = [client.view for client in desk.clients]
    take_over(desk.boards, views, desk.world.moment, [found])


def booked(desk: Desk, *keys: str, account: int = A) -> None:
    for key in keys:
        desk.world.trades[key] = account, 1
        desk.board(account).unread.keys({IBM}, {key})
