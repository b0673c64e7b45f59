"""uvicorn's websocket, which also says how much of what it was given it has not sent.

ASGI has no word for that: a send returns when the message lies in a buffer, however large. uvicorn
is told to use it by `--ws` (eqtrade.ws); the application finds `outlet` in the scope's state.
"""

import asyncio
from asyncio.transports import BaseTransport

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class Outlet:
    """The end of one websocket that faces the client."""

    def __init__(self, transport: asyncio.Transport, writable: asyncio.Event) -> None:
        self._transport = transport
        self._writable = writable

    def unsent(self) -> int:
        """Bytes that wait here for the client to take them."""
        return self._transport.get_write_buffer_size()

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
