"""A client of the live blotter: rows that stay right, whatever happens to the connection.

    python docs/examples/live_blotter.py http://127.0.0.1:8000 TOKEN Test1 Test2

prints what each message changes. Needs the package `websockets` and nothing else; the tests and
benchmarks of this repository use it. The protocol is told in docs/concepts/websocket.md.
"""

import json
import random
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

Row = dict[str, Any]
Key = tuple[str, ...]

PATH = "/ws/v1/blotter/"
KEYS: dict[str, Key] = {
    "positions": ("account", "ticker"),
    "trades": ("id",),
    "totals": ("account",),
    "prices": ("ticker",),
}
"""What tells a row of its kind from all others."""

NOT_AUTHENTICATED, TOO_MANY = 4401, 4429
RESTARTS, TRY_AGAIN = 1012, 1013
SILENCE_SECONDS = 45.0
"""The server says something every few seconds; after so long a silence the connection is dead."""


class Gap(Exception):
    """A message is missing: what is known is wrong until the next snapshot."""


class NotAuthenticated(Exception):
    """The token or session does not let anybody in (any more)."""


def subscription(
    accounts: Iterable[str], *, trades: int = 2_000, prices: str | list[str] = "all"
) -> str:
    """Watch these accounts with the newest so many trades, and these prices. Replaces what was
    watched before; a snapshot answers it."""
    asked = {"accounts": list(accounts), "trades": trades, "prices": prices}
    return json.dumps({"type": "subscribe", **asked})


def key_of(kind: str, row: Row) -> Key:
    return tuple(row[name] for name in KEYS[kind])


class Rows:
    """What the server has told: rows by kind and key, and how many trades of the day there are."""

    def __init__(self) -> None:
        self.by_kind: dict[str, dict[Key, Row]] = {kind: {} for kind in KEYS}
        self.trades_total: dict[str, int] = {}
        self.accounts: list[str] = []
        self.business_date = ""
        self.seq = 0

    def apply(self, message: Row) -> None:
        """Take over a snapshot or an update; raise Gap for one that does not follow the last."""
        if message["seq"] != self.seq + 1:
            raise Gap(f"message {message['seq']} came after {self.seq}")
        self.seq = message["seq"]
        if message["type"] == "snapshot":
            self.by_kind = {kind: {} for kind in KEYS}
            self.trades_total = {}
            self.accounts, self.business_date = message["accounts"], message["business_date"]
        else:
            # What is gone goes before the rows of the same message come.
            for row in message["removed"]["positions"]:
                self.by_kind["positions"].pop(key_of("positions", row), None)
            for trade in message["removed"]["trades"]:
                self.by_kind["trades"].pop((trade,), None)
        for kind, rows in self.by_kind.items():
            rows.update((key_of(kind, row), row) for row in message[kind])
        self.trades_total.update(message["trades_total"])

    def lost(self) -> None:
        """Another connection counts anew. The rows stay, to be shown as old, until its snapshot."""
        self.seq = 0


def open_socket(url: str, token: str | None = None, **more: Any) -> ClientConnection:
    """A connected websocket of the blotter; `url` is the site's."""
    headers = {"Authorization": f"Token {token}"} if token else {}
    connection: ClientConnection = connect(
        url.replace("http", "ws", 1) + PATH,
        additional_headers=headers,
        compression=None,
        max_size=None,
        open_timeout=30,
        **more,
    )
    return connection


def pause(attempt: int, code: int | None = None) -> float:
    """Seconds before the next attempt to connect; `attempt` counts from 0, `code` closed the last.

    Half of it is random, and after a restart all of it: thousands of clients must not come back
    in the same moment."""
    if code in (RESTARTS, TRY_AGAIN):
        return random.uniform(0.0, 3.0 * (attempt + 1))
    longest = 30.0 if code == TOO_MANY else min(0.5 * 1.5**attempt, 10.0)
    return longest * random.uniform(0.5, 1.0)


def follow(url: str, token: str, subscribe: str) -> Iterator[tuple[Row, Rows]]:
    """Each message with the rows as they are after it, for ever; raise NotAuthenticated."""
    rows, attempt = Rows(), 0
    while True:
        code = None
        rows.lost()
        try:
            with open_socket(url, token) as connection:
                connection.send(subscribe)
                while True:
                    message = json.loads(connection.recv(timeout=SILENCE_SECONDS))
                    if message["type"] in ("snapshot", "update"):
                        rows.apply(message)
                        attempt = 0
                    yield message, rows
        except ConnectionClosed as closed:
            code = None if closed.rcvd is None else closed.rcvd.code
            if code == NOT_AUTHENTICATED:
                raise NotAuthenticated from closed
        except (Gap, OSError, InvalidHandshake):
            pass  # the next connection begins with a snapshot; OSError is of a timeout, too
        time.sleep(pause(attempt, code))
        attempt += 1


def main(url: str, token: str, *accounts: str) -> None:
    for message, rows in follow(url, token, subscription(accounts, prices="none")):
        if message["type"] == "error":
            print(message["code"], message["detail"])
            continue
        changed = {kind: len(message.get(kind, ())) for kind in KEYS}
        totals = {row["account"]: row["total_pnl"] for row in rows.by_kind["totals"].values()}
        print(message["type"], changed, totals)


if __name__ == "__main__":
    main(*sys.argv[1:])
