"""Streaming, against a websocket server that speaks as Yahoo's does."""

import asyncio
import base64
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from websockets.asyncio.server import ServerConnection, serve
from yfinance.pricing_pb2 import PricingData

from eqtrade.up.options import PROJECT
from eqtrade.up.postgres import PostgresServer
from kernel.clock import clock_set
from prices.models import Instrument, Quote, SourceState
from prices.quotes.refresh import quotes_refresh
from prices.quotes.stream import Streamer, StreamUnavailable, stream_forever
from prices.sources import SourceUnavailable
from prices.sources.yahoo_stream import price_of
from tests.yahoo.server import Answer, YahooServer

# A Friday, 11:00 in New York.
NOW = datetime(2026, 1, 30, 16, 0, tzinfo=UTC)
AFTER_THE_END = datetime(2026, 1, 30, 21, 5, tzinfo=UTC)
PATIENCE = 60.0


def message(symbol: str, price: float, at: datetime = NOW, **more: Any) -> str:
    data = PricingData(
        id=symbol, price=price, time=int(at.timestamp() * 1000), **{"market_hours": 1, **more}
    )
    return json.dumps(
        {"type": "pricing", "message": base64.b64encode(data.SerializeToString()).decode()}
    )


class Told:
    """A server: `say` to whoever is connected, `drop` them, and see what they asked for."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.open: set[ServerConnection] = set()
        self.url = ""

    async def handle(self, connection: ServerConnection) -> None:
        self.open.add(connection)
        try:
            async for text in connection:
                self.asked.append(sorted(json.loads(text)["subscribe"]))
        finally:
            self.open.discard(connection)

    async def say(self, *messages: str) -> None:
        for connection in list(self.open):
            for text in messages:
                await connection.send(text)

    async def drop(self, code: int) -> None:
        for connection in list(self.open):
            await connection.close(code)


@asynccontextmanager
async def telling() -> AsyncIterator[Told]:
    told = Told()
    async with serve(told.handle, "127.0.0.1", 0) as server:
        told.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        yield told


@asynccontextmanager
async def streaming(told: Told, **fields: float) -> AsyncIterator[Streamer]:
    values = {"write_every": 0.05, "silence": 5.0, "first_pause": 0.01, "look_every": 0.02}
    streamer = Streamer(told.url, **{**values, **fields})  # type: ignore[arg-type]
    task = asyncio.create_task(streamer.run())
    try:
        yield streamer
    finally:
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=20)
        assert done, "it was told to end and did not"


async def eventually(holds: Callable[[], Awaitable[bool] | bool]) -> None:
    # A program may begin while much else does.
    async with asyncio.timeout(PATIENCE):
        while True:
            found = holds()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)


@pytest.fixture(autouse=True)
def _yahoo(committed_db: object, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PRICE_SOURCE = "yahoo"
    # A stream on loopback is not asked for through a proxy.
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    for ticker, symbol in (("IBM", "IBM"), ("BRK.B", "BRK-B")):
        Instrument.objects.create(ticker=ticker, yahoo_symbol=symbol, indices=["S&P 500"])


@sync_to_async
def quoted(ticker: str) -> str | None:
    found = Quote.objects.filter(instrument__ticker=ticker, source="yahoo").first()
    return str(found.price) if found else None


def price_is(ticker: str, price: str) -> Callable[[], Awaitable[bool]]:
    async def is_it() -> bool:
        return await quoted(ticker) == price

    return is_it


async def test_prices_are_written_as_they_come() -> None:
    with clock_set(NOW):
        async with telling() as told, streaming(told):
            await eventually(lambda: told.asked == [["BRK-B", "IBM"]])
            await told.say(message("IBM", 192.81), message("BRK-B", 480.125), message("NO", 1))
            await eventually(price_is("IBM", "192.81"))
            await eventually(price_is("BRK.B", "480.12"))
            state = await sync_to_async(SourceState.objects.get)(source="yahoo")
            assert state.stream_seen_at == NOW


async def test_a_ticker_is_written_once_a_turn_with_its_latest_price() -> None:
    with clock_set(NOW):
        async with telling() as told, streaming(told, write_every=0.5) as streamer:
            await eventually(lambda: len(told.asked) == 1)
            times = [NOW - timedelta(milliseconds=500 - n) for n in range(500)]
            await told.say(*(message("IBM", 100 + n / 100, at) for n, at in enumerate(times)))
            await eventually(price_is("IBM", "104.99"))
            assert streamer.written <= 2


async def test_an_older_price_does_not_replace_a_newer_one() -> None:
    with clock_set(NOW):
        async with telling() as told, streaming(told):
            await eventually(lambda: len(told.asked) == 1)
            await told.say(message("IBM", 144), message("IBM", 1, NOW - timedelta(seconds=9)))
            await eventually(price_is("IBM", "144.00"))
            await told.say(message("IBM", 2, NOW - timedelta(seconds=8)), message("BRK-B", 480))
            await eventually(price_is("BRK.B", "480.00"))
            assert await quoted("IBM") == "144.00"


@pytest.mark.parametrize("code", [1000, 1011])
async def test_a_stream_that_was_closed_connects_again(code: int) -> None:
    """After a polite end (1000), in which yfinance's own loop would hang, as after an error."""
    with clock_set(NOW):
        async with telling() as told, streaming(told) as streamer:
            await eventually(lambda: len(told.asked) == 1)
            await told.drop(code)
            await eventually(lambda: len(told.asked) == 2)
            await told.say(message("IBM", 144.5))
            await eventually(price_is("IBM", "144.50"))
            assert streamer.connections == 2


async def test_silence_is_a_fault() -> None:
    with clock_set(NOW):
        async with telling() as told, streaming(told, silence=0.2) as streamer:
            await eventually(lambda: streamer.connections >= 3)
            assert len(told.open) <= 1


async def test_a_server_that_is_not_there_is_tried_again() -> None:
    with clock_set(NOW):
        async with telling() as told:
            there, told.url = told.url, "ws://127.0.0.1:9/"
            async with streaming(told) as streamer:
                await eventually(lambda: streamer.connections >= 2)
                streamer.url = there
                await eventually(lambda: len(told.asked) == 1)


async def test_nonsense_is_passed_over() -> None:
    with clock_set(NOW):
        async with telling() as told, streaming(told):
            await eventually(lambda: len(told.asked) == 1)
            await told.say(json.dumps({"type": "hello"}), message("IBM", -1), message("IBM", 144))
            await eventually(price_is("IBM", "144.00"))
            await told.say("not json")
            await eventually(lambda: len(told.asked) == 2)


async def test_no_connection_while_the_exchange_is_closed() -> None:
    with clock_set(AFTER_THE_END):
        async with telling() as told, streaming(told) as streamer:
            await asyncio.sleep(0.3)
            assert streamer.connections == 0


async def test_what_trades_outside_the_session_is_not_kept() -> None:
    at_the_end = datetime(2026, 1, 30, 20, 59, 59, tzinfo=UTC)
    with clock_set(at_the_end):
        async with telling() as told, streaming(told):
            await eventually(lambda: len(told.asked) == 1)
            await told.say(
                message("IBM", 144, at_the_end),
                message("IBM", 150, at_the_end + timedelta(seconds=3)),
                message("BRK-B", 480, at_the_end, market_hours=2),
            )
            await eventually(price_is("IBM", "144.00"))
            assert await quoted("BRK.B") is None


def test_the_refresh_asks_for_what_the_stream_is_silent_about(
    yahoo_server: YahooServer, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PRICE_STREAM = True
    for name, value in yahoo_server.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    ibm = Instrument.objects.get(ticker="IBM")
    Quote.objects.create(instrument=ibm, source="yahoo", price=Decimal(144), as_of=NOW)
    yahoo_server.reset()
    yahoo_server.fault = lambda asked: Answer(500) if asked.kind == "quote" else None
    with pytest.raises(SourceUnavailable, match="HTTP 500"):
        quotes_refresh(now=NOW + timedelta(seconds=20))
    asked = [a.symbols for a in yahoo_server.data_requests() if a.kind == "quote"]
    assert asked[0] == ("BRK-B",)
    # What a refresh took itself a minute ago is not taken for streamed, if beat is a little early.
    SourceState.objects.update(retry_at=None)
    yahoo_server.asked.clear()
    with pytest.raises(SourceUnavailable, match="HTTP 500"):
        quotes_refresh(now=NOW + timedelta(seconds=59.5))
    asked = [a.symbols for a in yahoo_server.data_requests() if a.kind == "quote"]
    assert asked[0] == ("BRK-B", "IBM")


def test_other_sources_have_no_stream(settings: Any) -> None:
    settings.PRICE_SOURCE = "simulated"
    with pytest.raises(StreamUnavailable, match="simulated"):
        stream_forever()


def test_a_message_of_the_evening_has_no_price() -> None:
    at = str(int(NOW.timestamp() * 1000))
    assert price_of({"id": "IBM", "price": 1.5, "time": at, "market_hours": 2}) is None
    assert price_of({"error": "no", "raw_base64": "x"}) is None


# `manage.py prices stream`, at a time when the exchange is open.
PROGRAM = """
import os
from datetime import UTC, datetime
import django
django.setup()
from django.core.management import call_command
from kernel import clock
ahead = datetime.fromisoformat(os.environ["NOW"]) - clock.now()
with clock.clock_set(lambda: datetime.now(UTC) + ahead):
    call_command("prices", "stream")
"""


async def test_the_program_dies_and_another_goes_on(committed_db: PostgresServer) -> None:
    """As supervised: killed, it is started anew; told to end, it ends."""
    async with telling() as told:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "eqtrade.settings",
            "DATABASE_URL": committed_db.url("runtime"),
            "PRICE_SOURCE": "yahoo",
            "YAHOO_STREAM_URL": told.url,
            "NOW": NOW.isoformat(),
        }
        for price, end in ((144.07, signal.SIGKILL), (145.51, signal.SIGTERM)):
            program = await asyncio.create_subprocess_exec(
                sys.executable, "-c", PROGRAM, cwd=PROJECT, env=environment
            )
            try:
                await eventually(lambda: bool(told.open))
                at = NOW + timedelta(seconds=price - 144)
                await told.say(message("IBM", price, at))
                await eventually(price_is("IBM", str(price)))
            finally:
                program.send_signal(end)
                assert await asyncio.wait_for(program.wait(), PATIENCE) != 0
            await eventually(lambda: not told.open)


async def test_it_ends_whenever_it_is_told_to() -> None:
    """Also in the very moment in which a message is there."""
    with clock_set(NOW):
        async with telling() as told:
            for turns in range(40):
                async with streaming(told, write_every=60):
                    await eventually(lambda: len(told.asked) == turns + 1)  # noqa: B023
                    await told.say(message("IBM", 100))
                    for _ in range(turns):
                        await asyncio.sleep(0)
                await eventually(lambda: not told.open)
