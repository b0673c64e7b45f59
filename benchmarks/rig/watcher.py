"""Holds many websockets open and counts what comes, in a process of its own.

It shares the machine's cores with what it measures, so it looks at no more of a message than its
beginning. It talks to `benchmarks.rig.watchers` in lines of JSON: the plan, then questions.
"""

import asyncio
import base64
import json
import os
import resource
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, cast

from docs.examples.live_blotter import pause

OPEN_FILES = 16_384
AT_ONCE = 200
"""Connections that are being opened: a listening socket has room for some hundred."""
LATER_SECONDS = 30.0
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
SNAPSHOT = b'{"type":"snapshot"'
NO_ROW = 200
"""Bytes: what is smaller has no row, and only tells that what was told still holds."""


@dataclass
class Counts:
    """What came since the last mark."""

    frames: int = 0
    """With rows, but for snapshots."""
    empty: int = 0
    snapshots: int = 0
    bytes: int = 0
    last: float = 0.0
    """When the last of them came, by `time.time`."""
    told: set[int] = field(default_factory=set)
    """Who had a snapshot."""
    texts: list[str] = field(default_factory=list)
    """What the first watcher was sent."""
    closed: Counter[str] = field(default_factory=Counter)


class Watchers:
    """All watchers of this process."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.counts = Counts()
        self.open: set[int] = set()
        self.ends = False
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self) -> None:
        for number in range(len(self.plan["watchers"])):
            self._soon(self._connect(number, 0))

    def _soon(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, number: int, attempt: int, code: int | None = None) -> None:
        if attempt:
            await asyncio.sleep(pause(attempt - 1, code))
        async with self._turns:
            upgraded = asyncio.get_running_loop().create_future()
            try:
                await asyncio.get_running_loop().create_connection(
                    lambda: Watcher(self, number, attempt, upgraded), "127.0.0.1", self.plan["port"]
                )
                await asyncio.wait_for(upgraded, LATER_SECONDS)
            except (OSError, TimeoutError):
                if not upgraded.done():
                    self.again(number, attempt, None)

    def again(self, number: int, attempt: int, code: int | None) -> None:
        """A connection ended: come back, as a page does."""
        self.open.discard(number)
        self.counts.closed[str(code)] += 1
        if not self.ends:
            self._soon(self._connect(number, attempt + 1, code))

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        counts = self.counts
        found = {
            **vars(counts),
            "told": len(counts.told),
            "open": len(self.open),
            "texts": counts.texts if question.get("texts") else [],
        }
        if question.get("mark"):
            self.counts = Counts()
        return found


class Watcher(asyncio.Protocol):
    """One websocket, as much of RFC 6455 as it needs."""

    def __init__(
        self, pages: Watchers, number: int, attempt: int, upgraded: "asyncio.Future[None]"
    ) -> None:
        self._pages, self._number, self._attempt = pages, number, attempt
        self._upgraded = upgraded
        self._buffer = bytearray()
        self._is_upgraded = False
        self._skip = 0
        self._code: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        plan = self._pages.plan
        token = plan["watchers"][self._number]["token"]
        lines = [
            f"GET {plan['path']} HTTP/1.1",
            "Host: 127.0.0.1",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            "Sec-WebSocket-Version: 13",
            *([f"Authorization: Token {token}"] if token else []),
        ]
        self._transport.write("\r\n".join([*lines, "", ""]).encode())

    def data_received(self, data: bytes) -> None:
        if self._skip >= len(data):
            self._skip -= len(data)
            if not self._skip:
                self._came()
            return
        if self._skip:
            data, self._skip = data[self._skip :], 0
            self._came()
        self._buffer += data
        if not self._is_upgraded and not self._upgrade():
            return
        while self._frame():
            pass

    def _upgrade(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        status = bytes(self._buffer[9:12])
        if status != b"101":
            self._transport.abort()
            return False
        del self._buffer[: end + 4]
        self._is_upgraded = True
        self._pages.open.add(self._number)
        if not self._upgraded.done():
            self._upgraded.set_result(None)
        if subscribe := self._pages.plan["watchers"][self._number]["subscribe"]:
            self._send(TEXT, subscribe.encode())
        return True

    def _frame(self) -> bool:
        """Take the frame that begins the buffer, if enough of it is there; whether it was."""
        buffer = self._buffer
        if len(buffer) < 2:
            return False
        size, begins = buffer[1] & 0x7F, 2
        if size >= 126:
            begins = 4 if size == 126 else 10
            if len(buffer) < begins:
                return False
            size = int.from_bytes(buffer[2:begins])
        opcode, here = buffer[0] & 0x0F, len(buffer) - begins
        is_whole = here >= size
        keeps = opcode != TEXT or (self._number == 0 and self._pages.plan["keep"])
        if not is_whole and (keeps or here < len(SNAPSHOT)):
            return False
        payload = bytes(buffer[begins : begins + (size if keeps else len(SNAPSHOT))])
        del buffer[: begins + size]
        if opcode == TEXT:
            counts = self._pages.counts
            self._is_snapshot = payload.startswith(SNAPSHOT)
            self._is_empty = size < NO_ROW and not self._is_snapshot
            if not self._is_empty:
                counts.bytes += size
                if keeps:
                    counts.texts.append(payload.decode())
            self._skip = 0 if is_whole else size - here
            if is_whole:
                self._came()
        elif opcode == PING:
            self._send(PONG, payload)
        elif opcode == CLOSE:
            self._code = int.from_bytes(payload[:2]) if len(payload) >= 2 else None
            self._send(CLOSE, payload[:2])
            self._transport.close()
        return is_whole

    def _came(self) -> None:
        """A message is there to its end."""
        counts = self._pages.counts
        if self._is_empty:
            counts.empty += 1
            return
        counts.last = time.time()
        if self._is_snapshot:
            counts.snapshots += 1
            counts.told.add(self._number)
            self._attempt = 0
        else:
            counts.frames += 1

    def _send(self, opcode: int, payload: bytes) -> None:
        """With a mask of zeros, which leaves the payload as it is."""
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2)
        self._transport.write(bytes([0x80 | opcode]) + length + b"\0\0\0\0" + payload)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._upgraded.done():
            self._upgraded.set_result(None)
        self._pages.again(self._number, self._attempt, self._code)


async def serve() -> None:
    """Answer questions until there are no more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(OPEN_FILES, hard)), hard))
    reader = asyncio.StreamReader(limit=64 * 1024 * 1024)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    watchers = Watchers(json.loads(await reader.readline()))
    print(json.dumps("ready"), flush=True)
    while line := await reader.readline():
        question = json.loads(line)
        if question.get("begin"):
            watchers.begin()
        print(json.dumps(watchers.answer(question)), flush=True)
    watchers.ends = True


if __name__ == "__main__":
    asyncio.run(serve())
