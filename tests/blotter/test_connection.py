"""One connection's messages, without a stack: the other end is a list."""

import asyncio
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from blotter.live import connection as module
from blotter.live.board import Reading
from blotter.live.connection import Connection
from blotter.rows import Today

TODAY = Today(datetime(2026, 3, 18, 15, tzinfo=UTC), date(2026, 3, 18), "simulated")


class Heard(Connection):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[dict[str, Any]] = []
        self.closed_with: int | None = None
        self._begin()

    async def send(self, text_data: Any = None, bytes_data: Any = None, close: Any = False) -> None:
        self.said.append(json.loads(text_data))

    async def close(self, code: Any = None, reason: Any = None) -> None:
        self.closed_with = code

    async def settle(self) -> None:
        task = asyncio.create_task(self._send_forever())
        await asyncio.sleep(0.02)
        task.cancel()


def test_a_silence_ends_with_an_update_that_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def run() -> list[dict[str, Any]]:
        heard = Heard()
        heard.send_snapshot(TODAY, Reading())
        await heard.settle()
        heard.send_heartbeat()  # it has just said something
        await heard.settle()
        assert len(heard.said) == 1
        monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.0)
        heard.send_heartbeat()
        await heard.settle()
        return heard.said

    snapshot, beat = asyncio.run(run())
    assert (snapshot["type"], snapshot["seq"]) == ("snapshot", 1)
    nothing: dict[str, Any] = {"positions": [], "trades": []}
    assert beat == {
        "type": "update",
        "seq": 2,
        "totals": [],
        "prices": [],
        "removed": nothing,
        **nothing,
    }


def test_who_has_no_snapshot_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.0)

    async def run() -> list[dict[str, Any]]:
        heard = Heard()
        heard.send_heartbeat()
        await heard.settle()
        return heard.said

    assert asyncio.run(run()) == []


def test_an_ended_login_closes_the_connection() -> None:
    async def run() -> Heard:
        heard = Heard()
        heard.send_snapshot(TODAY, Reading())
        heard.send_end()
        await heard.settle()
        return heard

    heard = asyncio.run(run())
    assert [m["type"] for m in heard.said] == ["error"]
    assert heard.closed_with == 4401
