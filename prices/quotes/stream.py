"""Prices as they are streamed: a process of its own writes them, at most once a second each.

The minute's refresh goes on beside it and asks for what the stream was silent about, so that a
stream that dies costs freshness and nothing else.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db import close_old_connections

from kernel import clock
from kernel.money import round_source_price
from prices.models import Instrument, SourceState
from prices.quotes.write import quotes_keep
from prices.selectors import priced_instruments
from prices.sessions import Session, sessions
from prices.sources import SourceQuote

logger = logging.getLogger(__name__)

WRITE_EVERY = 1.0
# Busy names trade many times a second: while the exchange is open, this long a silence is a fault.
SILENCE = 30.0
LOOK_EVERY = 5.0
# The priced instruments change over the day; a new connection asks for those of then.
RENEW_EVERY = 300.0
SEEN_EVERY = timedelta(seconds=10)
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
CLOCK_MARGIN = timedelta(seconds=5)
T = TypeVar("T")


class StreamUnavailable(Exception):
    """This source has no stream."""


@dataclass
class Streamer:
    """`run` streams until it is cancelled. All of the database goes through one thread."""

    url: str
    write_every: float = WRITE_EVERY
    silence: float = SILENCE
    first_pause: float = FIRST_PAUSE
    look_every: float = LOOK_EVERY
    renew_every: float = RENEW_EVERY
    connections: int = 0
    written: int = 0
    _latest: dict[str, tuple[float, datetime]] = field(default_factory=dict)
    _instruments: list[Instrument] = field(default_factory=list)
    _seen_at: datetime | None = None
    _database: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))

    async def run(self) -> None:
        writer = asyncio.create_task(self._write_forever())
        try:
            await self._connect_forever()
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            await self._in_database(_hang_up)
            self._database.shutdown()

    async def _connect_forever(self) -> None:
        pause = self.first_pause
        while True:
            if not await self._in_database(lambda: sessions().is_open(clock.now())):
                await asyncio.sleep(self.look_every)
                continue
            before = self.connections, time.monotonic()
            try:
                await self._connection()
                pause = self.first_pause
            except Exception as error:  # noqa: BLE001 - whatever it is, the stream is tried again
                if time.monotonic() - before[1] > LONGEST_PAUSE:
                    pause = self.first_pause
                logger.warning("stream: %s; again in about %.0f s", error, pause)
                await asyncio.sleep(pause * (0.5 + random.random()))
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _connection(self) -> None:
        """One connection, for as long as the exchange is open and the same names are priced."""
        from prices.sources.yahoo_stream import YahooStream

        session = await self._in_database(_session)
        self._instruments = await self._in_database(lambda: priced_instruments(clock.now()))
        symbols = [instrument.yahoo_symbol for instrument in self._instruments]
        if not symbols:
            await asyncio.sleep(self.look_every)
            return
        self.connections += 1
        ends = time.monotonic() + self.renew_every
        async for last in YahooStream(self.url).prices(symbols, silence=self.silence):
            known = self._latest.get(last.symbol)
            # A trade outside the session does not mark, and would hide the last one that does.
            if session.opens <= last.at <= session.closes and (known is None or last.at > known[1]):
                self._latest[last.symbol] = last.price, last.at
            if time.monotonic() > ends:
                return

    async def _write_forever(self) -> None:
        while True:
            await asyncio.sleep(self.write_every)
            if not self._latest:
                continue
            # Taken in one step: what comes while it is written is of the next writing.
            taken, self._latest = self._latest, {}
            try:
                self.written += await self._in_database(lambda: self._write(taken))  # noqa: B023
            except Exception:
                logger.exception("streamed prices were not written; newer ones are")

    def _write(self, taken: dict[str, tuple[float, datetime]]) -> int:
        now = clock.now()
        quotes = [
            SourceQuote(instrument.ticker, round_source_price(price), min(at, now))
            for instrument in self._instruments
            for price, at in [taken.get(instrument.yahoo_symbol, (0.0, now))]
            if price > 0 and at <= now + CLOCK_MARGIN
        ]
        if self._seen_at is None or now - self._seen_at >= SEEN_EVERY:
            SourceState.objects.update_or_create(source="yahoo", defaults={"stream_seen_at": now})
            self._seen_at = now
        return quotes_keep("yahoo", self._instruments, quotes)

    async def _in_database(self, call: Callable[[], T]) -> T:
        def fresh() -> T:
            close_old_connections()
            return call()

        return await asyncio.get_running_loop().run_in_executor(self._database, fresh)


def _session() -> Session:
    """The session of the business date."""
    known = sessions()
    return known.session_of(known.business_date(clock.now()))


def _hang_up() -> None:
    from django.db import connections

    connections.close_all()


def stream_forever() -> None:
    """Stream from the current source until the process is told to stop. Raises StreamUnavailable
    where the source has none."""
    if settings.PRICE_SOURCE != "yahoo":
        raise StreamUnavailable(f"PRICE_SOURCE={settings.PRICE_SOURCE} has no stream; yahoo has.")
    asyncio.run(Streamer(settings.YAHOO_STREAM_URL).run())
