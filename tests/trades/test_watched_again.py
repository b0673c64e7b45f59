"""No measurement of limits or alerts is missed: what one may not have seen, the next one sees."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from celery import current_app

from blotter.alerts.ask import alerts_ask
from blotter.tasks import watch_alerts
from eqtrade.up.postgres import PostgresServer
from kernel.locks import Lock
from pnl.tasks import apply_ledger, watch_limits
from tests.blotter.test_alerts_watch import alert, valkey
from tests.trades.conftest import Desk
from tests.trades.test_limits import book, boss, desk, put
from trades.models import LEDGER_SHARDS

__all__ = ["boss", "desk", "valkey"]

Ask = Callable[[], object]
Watch = Callable[[], int]


@pytest.fixture
def asked(desk: Desk, boss: Any, valkey: None, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks that are asked for from now on, where there is a limit and an alert."""
    assert put(boss, {"account": "Test1", "kind": "gross", "amount": "100"}).status_code == 200
    alert(desk, "price", ticker="IBM", way="above", level="200")
    found: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, *_, **__: found.append(name))
    return found


def of_limits(desk: Desk) -> Ask:
    def ask() -> None:
        assert book(desk, "GE", "1", "142.5").status_code == 201
        apply_ledger(list(range(LEDGER_SHARDS)))

    return ask


@pytest.fixture(params=["limits", "alerts"])
def watched(request: pytest.FixtureRequest, desk: Desk) -> tuple[Ask, Watch, Lock, str]:
    """What asks, what measures, and under which lock."""
    if request.param == "limits":
        return of_limits(desk), watch_limits, Lock.LIMITS_WATCH, watch_limits.name
    return alerts_ask, watch_alerts, Lock.ALERTS_WATCH, watch_alerts.name


@contextmanager
def held(lock: Lock, database: PostgresServer) -> Iterator[None]:
    """Another process measures."""
    with psycopg.connect(database.url("owner")) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [int(lock)])
        yield


def test_of_many_batches_one_asks(watched: tuple[Ask, Watch, Lock, str], asked: list[str]) -> None:
    ask, _, _, task = watched
    for _ in range(3):
        ask()
    assert asked.count(task) == 1


def test_what_comes_once_a_measurement_began_asks_for_the_next(
    watched: tuple[Ask, Watch, Lock, str], asked: list[str]
) -> None:
    ask, watch, _, task = watched
    ask()
    watch()
    ask()
    assert asked.count(task) == 2


def test_who_finds_another_one_measuring_asks_again(
    watched: tuple[Ask, Watch, Lock, str], asked: list[str], committed_db: PostgresServer
) -> None:
    """The other one may have read before what this one was asked for."""
    ask, watch, lock, task = watched
    ask()
    with held(lock, committed_db):
        assert watch() == 0
    assert asked.count(task) == 2
