"""The websocket as a program uses it: the documents' example, and what tests want to know."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from websockets.exceptions import InvalidHandshake, WebSocketException
from websockets.sync.client import ClientConnection

from docs.examples.live_blotter import KEYS, PATH, Gap, Key, Rows, open_socket, subscription
from tests.stack.client import Row

__all__ = ["PATH", "Live", "State", "fresh_state", "open_socket", "state_of", "subscription"]

NO_NEWS = ("age_seconds", "calculated_at")
"""These change with every reading."""

State = dict[str, dict[Key, Row]]


def state_of(rows: Rows) -> State:
    """The rows by kind and key, without what is no news."""
    return {kind: {key: _news(row) for key, row in rows.by_kind[kind].items()} for kind in KEYS}


def fresh_state(url: str, token: str, accounts: Iterable[str], **more: Any) -> State:
    """What a client that connects now is told."""
    rows = Rows()
    with open_socket(url, token) as connection:
        connection.send(subscription(accounts, **more))
        message = json.loads(connection.recv(timeout=60))
    assert message["type"] == "snapshot", message
    rows.apply(message)
    return state_of(rows)


def _news(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in NO_NEWS}


class Live:
    """Snapshot and updates applied to `state`, as a page does it. A gap in `seq` is noted in
    `faults`, which every `wait` checks. Loses its connection: opens another and subscribes anew.

    `on_message` is called in the reading thread with each message and the time of its arrival
    (`time.perf_counter`), before it is applied.
    """

    def __init__(
        self,
        url: str,
        token: str,
        accounts: Iterable[str],
        on_message: Callable[[Row, float], None] | None = None,
        **more: Any,
    ) -> None:
        self._url, self._token = url, token
        self._accounts, self._more = list(accounts), more
        self._on_message = on_message
        self._changed = threading.Condition()
        self._rows = Rows()
        self._connection: ClientConnection | None = None
        self._ends = False
        self.snapshots = 0
        self.updates = 0
        self.errors: list[Row] = []
        self.imports: list[Row] = []
        self.faults: list[str] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.wait(lambda live: live.snapshots > 0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ends = True
        if self._connection is not None:
            self._connection.close()
        self._thread.join(30)

    # --- for tests ------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """The rows as they are now."""
        with self._changed:
            return state_of(self._rows)

    @property
    def trades_total(self) -> dict[str, int]:
        """Trades of the day by account."""
        with self._changed:
            return dict(self._rows.trades_total)

    @property
    def subscribed(self) -> list[str]:
        """The accounts of the last snapshot."""
        return self._rows.accounts

    def rows(self, kind: str) -> list[Row]:
        return list(self.state[kind].values())

    def subscribe(self, accounts: Iterable[str], **more: Any) -> None:
        """Replace the subscription, and wait for its snapshot."""
        self._accounts, self._more = list(accounts), more
        before = self.snapshots
        self.send(subscription(self._accounts, **more))
        wanted = sorted(self._accounts)
        self.wait(lambda live: live.snapshots > before and live.subscribed == wanted)

    def ask(self, accounts: Iterable[str], **more: Any) -> None:
        """Replace the subscription, and wait for nothing. A connection that is just lost asks for
        it when it is back."""
        self._accounts, self._more = list(accounts), more
        with suppress(OSError, WebSocketException):
            self.send(subscription(self._accounts, **more))

    def drop(self) -> None:
        """Lose the connection, as by a cable."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.socket.shutdown(socket.SHUT_RDWR)

    def send(self, text: str) -> None:
        """Send as is, without waiting for an answer."""
        assert self._connection is not None
        self._connection.send(text)

    def wait(self, holds: Callable[["Live"], bool], seconds: float = 45) -> None:
        """Wait until this holds after some message."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not holds(self):
                assert not self.faults, self.faults
                assert time.monotonic() < deadline, f"not told in {seconds} s; {self._summary()}"
                self._changed.wait(0.5)
            assert not self.faults, self.faults

    def _summary(self) -> str:
        counts = {kind: len(rows) for kind, rows in self._rows.by_kind.items()}
        return f"{self.snapshots} snapshots, {self.updates} updates, {counts}, {self.errors}"

    # --- the reading thread ---------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ends:
            with suppress(OSError, WebSocketException, InvalidHandshake, TimeoutError):
                self._follow()
            if not self._ends:
                time.sleep(0.1)  # what a page does too: no storm on a server that restarts

    def _follow(self) -> None:
        with open_socket(self._url, self._token) as connection:
            self._connection = connection
            self._rows.lost()
            connection.send(subscription(self._accounts, **self._more))
            for text in connection:
                arrived = time.perf_counter()
                message = json.loads(text)
                if self._on_message is not None:
                    self._on_message(message, arrived)
                with self._changed:
                    self._apply(message)
                    self._changed.notify_all()

    def _apply(self, message: Row) -> None:
        kind = message["type"]
        if kind == "import":
            self.imports.append(message["import"])
            return
        if kind == "error":
            self.errors.append(message)
            return
        try:
            self._rows.apply(message)
        except Gap as gap:
            self.faults.append(str(gap))
        if kind == "snapshot":
            self.snapshots += 1
        else:
            self.updates += 1
