"""One connection's messages, without a stack: the other end is a list."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from blotter.live import connection as module
from blotter.live.composing import View
from blotter.live.connection import Connection
from blotter.live.hub import Hub
from blotter.live.protocol import Outlet


class Taken(Outlet):
    """The end of a socket whose client takes everything, or nothing from some moment on."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self.held = 0
        self.takes = asyncio.Event()
        self.takes.set()
        self.fills = False
        self.was_cut = False

    def send(self, *parts: bytes) -> None:
        self.said.append(json.loads(b"".join(parts)))
        if self.fills:
            self.takes.clear()

    def is_free(self) -> bool:
        return self.takes.is_set()

    def unsent(self) -> int:
        return self.held

    async def drained(self) -> None:
        await self.takes.wait()

    def cut(self) -> None:
        self.was_cut = True


class Heard(Connection):
    def __init__(self) -> None:
        super().__init__()
        self.closed_with: int | None = None
        self.outlet = Taken()
        self.scope = {"state": {"outlet": self.outlet}}
        self._hub = Hub()
        self._hub.boards.roll(date(2026, 3, 18), datetime(2026, 3, 18, 15, tzinfo=UTC))
        self._begin()

    @property
    def said(self) -> list[dict[str, Any]]:
        return self.outlet.said

    async def close(self, code: Any = None, reason: Any = None) -> None:
        self.closed_with = code

    async def settle(self) -> None:
        task = asyncio.create_task(self._send_forever())
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()


def run(script: Callable[[Heard], Awaitable[None]]) -> Heard:
    async def with_one() -> Heard:
        heard = Heard()
        await script(heard)
        return heard

    return asyncio.run(with_one())


def test_a_silence_ends_with_an_update_that_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def script(heard: Heard) -> None:
        heard.set_view(View())
        await heard.settle()
        heard.beat()  # it has just said something
        await heard.settle()
        assert len(heard.said) == 1
        monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.0)
        heard.beat()
        await heard.settle()

    snapshot, beat = run(script).said
    assert (snapshot["type"], snapshot["seq"]) == ("snapshot", 1)
    nothing: dict[str, Any] = {"positions": [], "trades": []}
    assert beat == {
        "type": "update",
        "seq": 2,
        "totals": [],
        "prices": [],
        "trades_total": {},
        "removed": nothing,
        **nothing,
    }


def test_who_has_not_subscribed_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.0)

    async def script(heard: Heard) -> None:
        heard.beat()
        await heard.settle()

    assert run(script).said == []


def test_a_snapshot_waits_until_its_boards_are_read() -> None:
    async def script(heard: Heard) -> None:
        heard._hub.boards.add(1, "A")
        heard.set_view(View((1,), 10, frozenset()))
        await heard.settle()

    assert run(script).said == []


def test_an_ended_login_closes_the_connection() -> None:
    async def script(heard: Heard) -> None:
        heard.set_view(View())
        heard.end_login()
        await heard.settle()

    heard = run(script)
    assert [m["code"] for m in heard.said] == ["not_authenticated"]
    assert heard.closed_with == 4401


def test_who_takes_nothing_is_cut_off_when_its_login_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be told, and must not stay for that."""
    monkeypatch.setattr(module, "LAST_WORD_SECONDS", 0.0)

    async def script(heard: Heard) -> None:
        heard.outlet.fills = True
        heard.set_view(View())
        sender = asyncio.create_task(heard._send_forever())
        await asyncio.sleep(0.01)
        assert heard.blocked_for() > 0
        heard.end_login()
        await asyncio.sleep(0.01)
        sender.cancel()

    assert run(script).outlet.was_cut


def test_errors_that_nobody_reads_end_the_connection() -> None:
    async def script(heard: Heard) -> None:
        for _ in range(1_000):
            heard.send_not_entitled(["A"])
        assert len(heard._errors) <= module.MOST_ERRORS
        await heard.settle()

    assert run(script).closed_with == 4429


def test_a_change_goes_out_at_once_and_a_slow_client_has_its_turn_later() -> None:
    """Numbers stay gapless whichever way a message took."""

    async def script(heard: Heard) -> None:
        boards = heard._hub.boards
        heard.set_view(View())
        sender = asyncio.create_task(heard._send_forever())
        await asyncio.sleep(0.01)
        for takes in (True, False, True):
            heard.outlet.fills = not takes
            boards.version += 1
            heard._beats = True
            heard.tell()
            assert len(heard.said) == heard._seq
            heard.tell()
        assert heard.blocked_for() > 0
        heard.outlet.fills = False
        heard.outlet.takes.set()
        heard._beats = True
        await asyncio.sleep(0.01)
        assert heard.blocked_for() == 0
        sender.cancel()

    assert [m["seq"] for m in run(script).said] == [1, 2, 3, 4]
