"""Sends requests over keep-alive connections, one at a time on each, and counts the answers.

A process of its own, of the standard library alone, that parses no more of an answer than it must:
it shares the machine's cores with what it measures. It talks to `benchmarks.rig.load` in lines of
JSON: the plan, then for each run the seconds that it may take; what came of it goes back.
"""

import json
import re
import selectors
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PATIENCE = 30.0
"""Seconds without any answer after which a run has failed."""
CHUNK = 262_144
NUMBER = b"@NUMBER@"
"""Each request sends another number of as many digits in this place."""
LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


@dataclass(slots=True)
class Connection:
    """One connection with at most one request under way."""

    socket: socket.socket
    request: int = 0
    sent: float = 0.0
    head: bytes = b""
    missing: int = -1
    """Bytes of the answer that are still to come; -1 while its head is not complete."""


class Sender:
    """The connections, and the order in which the requests are sent."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.address = (plan["host"], plan["port"])
        self.requests = [text.encode("latin-1") for text in plan["requests"]]
        self.order: list[int] = plan["order"]
        self.expected = str(plan["status"]).encode()
        self.limit: int = plan["limit"]
        self.next = 0
        self.selector = selectors.DefaultSelector()
        self.connections = [Connection(self._connect()) for _ in range(plan["connections"])]
        for each in self.connections:
            self.selector.register(each.socket, selectors.EVENT_READ, each)

    def run(self, seconds: float) -> dict[str, Any]:
        """Send for so many seconds, wait for the last answers, say what came."""
        latencies: list[float] = []
        answered = [0] * len(self.requests)
        failures: list[str] = []
        counter: Callable[[], float] = time.perf_counter
        began = ended = counter()
        deadline = began + seconds
        for each in self.connections:
            self._send(each)
        under_way = len(self.connections)
        while under_way:
            ready = self.selector.select(PATIENCE)
            if not ready:
                raise TimeoutError(f"{under_way} requests without an answer")
            for key, _ in ready:
                each = key.data
                if not self._received(each):
                    continue
                ended = counter()
                latencies.append(ended - each.sent)
                if each.head[9:12] == self.expected:
                    answered[each.request] += 1
                else:
                    failures.append(each.head[:600].decode("latin-1"))
                if CLOSES.search(each.head):
                    self._reconnect(each)
                if ended < deadline and not failures and len(latencies) < self.limit:
                    self._send(each)
                else:
                    under_way -= 1
        return {
            "seconds": ended - began,
            "latencies": [round(1000 * each, 3) for each in latencies],
            "answered": answered,
            "failures": failures[:3],
        }

    def _connect(self) -> socket.socket:
        made = socket.create_connection(self.address, timeout=10)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.setblocking(False)
        return made

    def _reconnect(self, connection: Connection) -> None:
        """The server ends a connection after so many requests, and says so in its last answer."""
        self.selector.unregister(connection.socket)
        connection.socket.close()
        connection.socket = self._connect()
        self.selector.register(connection.socket, selectors.EVENT_READ, connection)

    def _send(self, connection: Connection) -> None:
        connection.request = request = self.order[self.next % len(self.order)]
        self.next += 1
        data = self.requests[request]
        if NUMBER in data:
            data = data.replace(NUMBER, b"%0*d" % (len(NUMBER), self.next))
        connection.head, connection.missing = b"", -1
        connection.sent = time.perf_counter()
        if connection.socket.send(data) != len(data):
            raise OSError("a request did not fit into the socket's buffer")

    def _received(self, connection: Connection) -> bool:
        """Take what has come; whether the answer is complete."""
        data = connection.socket.recv(CHUNK)
        if not data:
            raise ConnectionError("a connection ended before its answer")
        if connection.missing >= 0:
            connection.missing -= len(data)
            return connection.missing == 0
        connection.head += data
        end = connection.head.find(b"\r\n\r\n")
        if end < 0:
            return False
        length = LENGTH.search(connection.head, 0, end + 2)
        if length is None:
            raise ValueError(f"an answer without its length: {connection.head[:end]!r}")
        connection.missing = end + 4 + int(length[1]) - len(connection.head)
        return connection.missing == 0


def main() -> None:
    """Read the plan, then run as often as asked; the end of input ends it."""
    sender = Sender(json.loads(sys.stdin.readline()))
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(sender.run(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
