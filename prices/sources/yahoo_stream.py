"""Yahoo's stream of prices, by yfinance's own websocket client.

Its `listen` is not used: when the server closes the connection, yfinance 1.7 turns in a circle
without ever letting another task run, and after an error it goes on with the dead connection
(both seen). Here the end of a connection is the end of the iteration; who asks connects anew.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from yfinance import AsyncWebSocket

from prices.sources.yfinance_client import LastPrice, configured

# What Yahoo calls market_hours: 0 before, 1 regular, 2 after, 3 overnight.
_OUTSIDE = (2, 3)


class StreamEnded(Exception):
    """The connection could not be made, was closed, or said nothing for too long."""


class YahooStream(AsyncWebSocket):  # type: ignore[misc]
    """One connection."""

    def __init__(self, url: str) -> None:
        configured()
        super().__init__(url=url, verbose=False)

    async def prices(self, symbols: Sequence[str], *, silence: float) -> AsyncIterator[LastPrice]:
        """Subscribe, and give every price that comes. Raises StreamEnded at the end, also when
        nothing came for `silence` seconds."""
        try:
            # Not wait_for: before Python 3.12 it forgets that its task was cancelled when a message
            # comes in that moment, and the task would never end.
            async with asyncio.timeout(silence):
                await self.subscribe(list(symbols))
            while True:
                async with asyncio.timeout(silence):
                    message = await self._ws.recv()
                price = price_of(self._decode_message(json.loads(message).get("message", "")))
                if price is not None:
                    yield price
        except TimeoutError as error:
            raise StreamEnded(f"nothing came for {silence:g} s") from error
        except GeneratorExit:
            raise
        except Exception as error:
            raise StreamEnded(f"{type(error).__name__}: {error}"[:200]) from error
        finally:
            await self._hang_up()

    async def _hang_up(self) -> None:
        with suppress(Exception):  # it is being given up
            async with asyncio.timeout(2):
                await self.close()


def price_of(message: dict[str, Any]) -> LastPrice | None:
    """A message's price (`time` is in milliseconds), None for one that has none or is not of the
    session: what trades after it does not mark."""
    try:
        at = datetime.fromtimestamp(int(message["time"]) / 1000, UTC)
        price, symbol = float(message["price"]), str(message["id"])
    except (KeyError, ValueError, TypeError, OverflowError, OSError):
        return None
    if not 0 < price < float("inf") or message.get("market_hours") in _OUTSIDE:
        return None
    return LastPrice(symbol, price, at)
