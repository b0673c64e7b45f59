"""The websocket as a program uses it: rows kept up to date, reconnecting by itself."""

import json
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from websockets.exceptions import InvalidHandshake, WebSocketException
from websockets.sync.client import ClientConnection, connect

from tests.stack.client import Row

PATH = "/ws/v1/blotter/"
KEYS: dict[str, tuple[str, ...]] = {
    "positions": ("account", "ticker"),
    "trades": ("id",),
    "totals": ("account",),
    "prices": ("ticker",),
}
NO_NEWS = ("age_seconds", "calculated_at")
"""These change with every reading."""

State = dict[str, dict[tuple[str, ...], Row]]


def open_socket(url: str, token: str | None = None, **more: Any) -> ClientConnection:
    """A connected websocket of the blotter."""
    headers = {"Authorization": f"Token {token}"} if token else {}
    connection: ClientConnection = connect(
        url.replace("http", "ws", 1) + PATH,
        additional_headers=headers,
        max_size=None,
        open_timeout=30,
        **more,
    )
    return connection


def subscription(accounts: Iterable[str]) -> str:
    return json.dumps({"type": "subscribe", "accounts": list(accounts)})


def state_of(message: Row) -> State:
    """The rows of a snapshot by kind and key, without what is no news."""
    return {kind: {_key(kind, row): _news(row) for row in message[kind]} for kind in KEYS}


def fresh_state(url: str, token: str, accounts: Iterable[str]) -> State:
    """What a client that connects now is told."""
    with open_socket(url, token) as connection:
        connection.send(subscription(accounts))
        message = json.loads(connection.recv(timeout=60))
    assert message["type"] == "snapshot", message
    return state_of(message)


def _key(kind: str, row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in KEYS[kind])


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
    ) -> None:
        self._url, self._token = url, token
        self._accounts = list(accounts)
        self._on_message = on_message
        self._changed = threading.Condition()
        self._state: State = {kind: {} for kind in KEYS}
        self._connection: ClientConnection | None = None
        self._ends = False
        self._seq = 0
        self.snapshots = 0
        self.updates = 0
        self.business_date = ""
        self.subscribed: list[str] = []
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
            return {kind: dict(rows) for kind, rows in self._state.items()}

    def rows(self, kind: str) -> list[Row]:
        return list(self.state[kind].values())

    def subscribe(self, accounts: Iterable[str]) -> None:
        """Replace the subscription, and wait for its snapshot."""
        self._accounts = list(accounts)
        before = self.snapshots
        self.send(subscription(self._accounts))
        wanted = sorted(self._accounts)
        self.wait(lambda live: live.snapshots > before and live.subscribed == wanted)

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
        counts = {kind: len(rows) for kind, rows in self._state.items()}
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
            self._connection, self._seq = connection, 0
            connection.send(subscription(self._accounts))
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
        self._seq += 1
        if message["seq"] != self._seq:
            self.faults.append(f"seq {message['seq']} came where {self._seq} was due")
        if kind == "snapshot":
            self._state = state_of(message)
            self.business_date = message["business_date"]
            self.subscribed = message["accounts"]
            self.snapshots += 1
            return
        self.updates += 1
        for name, rows in self._state.items():
            rows.update((_key(name, row), _news(row)) for row in message[name])
        for row in message["removed"]["positions"]:
            self._state["positions"].pop(_key("positions", row), None)
        for trade in message["removed"]["trades"]:
            self._state["trades"].pop((trade,), None)
