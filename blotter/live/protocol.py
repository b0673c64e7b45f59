"""uvicorn's websocket, which also says how much of what it was given it has not sent, and takes
text that is encoded already.

ASGI has no word for either: a send returns when the message lies in a buffer, however large, and
what thousands are told alike would be encoded for each of them. uvicorn is told to use it by `--ws`
(eqtrade.ws); the application finds `outlet` in the scope's state.
"""

import asyncio
import struct
from asyncio.transports import BaseTransport

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

FINAL_TEXT = 0x81
FRAME_16, FRAME_64 = struct.Struct("!BBH"), struct.Struct("!BBQ")


class Outlet:
    """The end of one websocket that faces the client."""

    def __init__(self, transport: asyncio.Transport, writable: asyncio.Event) -> None:
        self._transport = transport
        self._writable = writable

    def send(self, *parts: bytes) -> None:
        """Give the client one message of text, UTF-8, in one frame (RFC 6455, 5.2: final, unmasked,
        uncompressed). Raise ConnectionError when the connection has ended."""
        if self._transport.is_closing():
            raise ConnectionResetError
        size = sum(map(len, parts))
        if size < 126:
            head = bytes((FINAL_TEXT, size))
        elif size < 1 << 16:
            head = FRAME_16.pack(FINAL_TEXT, 126, size)
        else:
            head = FRAME_64.pack(FINAL_TEXT, 127, size)
        self._transport.write(b"".join((head, *parts)))

    def unsent(self) -> int:
        """Bytes that wait here for the client to take them."""
        return self._transport.get_write_buffer_size()

    def is_free(self) -> bool:
        """True if it takes more at once: hardly anything waits here."""
        return self._writable.is_set()

    async def drained(self) -> None:
        """Wait until hardly any are left, or the connection is lost."""
        await self._writable.wait()

    def cut(self) -> None:
        """End the connection at once; what was not sent is lost."""
        self._transport.abort()


class LiveProtocol(WebSocketsSansIOProtocol):
    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self.app_state = {**self.app_state, "outlet": Outlet(self.transport, self.writable)}
