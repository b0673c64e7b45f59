"""Waking the readers: after the commit and never before, once for many bookings, and never in the
way of anybody."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.db import transaction

from eqtrade.up.postgres import PostgresServer
from eqtrade.up.valkey import ValkeyServer
from positions.projection import POSITIONS
from tests import factories as make
from tests.trades.conftest import NOW, TODAY, Desk, make_desk
from trades.ledger import consumer as reading
from trades.ledger import nudges
from trades.ledger.reader import Outcome, State

PAIR = ("positions", 3)
KEY = nudges.coalescing_key(*PAIR)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests' bookings could not send is tried again each second: not in these."""

    def not_now(_: list[nudges.Nudge]) -> None:
        raise ConnectionError("not now")

    monkeypatch.setattr(nudges._sender, "_send", not_now)


@pytest.fixture
def valkey(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator["redis.Redis"]:
    with ValkeyServer.temporary() as server:
        settings.REDIS_URL = server.url()
        monkeypatch.setattr(nudges, "_clearing", None)
        with redis.Redis.from_url(server.url()) as client:
            yield client


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int | str]]:
    """What would have gone to the broker."""
    found: list[tuple[str, int | str]] = []

    def send(_sender: nudges._Sender, consumer: str, shard: int | str) -> None:
        found.append((consumer, shard))

    monkeypatch.setattr(nudges._Sender, "_send_task", send)
    return found


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch) -> list[nudges.Nudge]:
    """What was handed to the sending thread."""
    found: list[nudges.Nudge] = []
    monkeypatch.setattr(nudges._sender, "put", found.extend)
    return found


@pytest.fixture
def desk(committed_db: PostgresServer) -> Desk:
    return make_desk()


def book(desk: Desk) -> None:
    make.make_trade(desk.trader, desk.account, desk.ibm, "1", "2", trade_date=TODAY, at=NOW)


def test_every_reader_of_the_shard_is_woken_after_the_commit(
    desk: Desk, put: list[nudges.Nudge]
) -> None:
    with transaction.atomic():
        book(desk)
        assert put == []
    shard = desk.account.pk % 16
    assert sorted(put) == [("cost", shard), ("pnl", shard), ("positions", shard)]


def test_what_is_rolled_back_wakes_nobody(desk: Desk, put: list[nudges.Nudge]) -> None:
    with transaction.atomic():
        book(desk)
        transaction.set_rollback(True)
    assert put == []


def test_many_bookings_are_one_nudge_until_a_reader_takes_it(
    valkey: "redis.Redis", sent: list[nudges.Nudge]
) -> None:
    sender = nudges._Sender()
    for _ in range(3):
        sender._send([PAIR])
    assert sent == [PAIR]
    assert 0 < valkey.pttl(KEY) <= nudges.COALESCE_MS
    nudges.nudge_taken(*PAIR)
    sender._send([PAIR])
    assert sent == [PAIR, PAIR]


def test_the_nudge_is_taken_before_the_reader_looks(
    valkey: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is booked while it looks, and too late for it, must be able to nudge again."""
    there: list[object] = []

    def look(projection: object, shard: int) -> Outcome:
        there.append(valkey.exists(KEY))
        return Outcome(State.DRAINED)

    monkeypatch.setattr(reading, "drain", look)
    valkey.set(KEY, 1)
    reading.ledger_apply(POSITIONS, PAIR[1])
    assert there == [0]


def test_a_nudge_that_was_not_sent_is_sent_later(
    valkey: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first try leaves its key, though nothing was sent: the next must come after that."""
    tries: list[nudges.Nudge] = []
    was_sent = threading.Event()

    def send(_sender: nudges._Sender, consumer: str, shard: int | str) -> None:
        tries.append((consumer, shard))
        if len(tries) == 1:
            raise ConnectionError("The broker went away.")
        was_sent.set()

    monkeypatch.setattr(nudges._Sender, "_send_task", send)
    nudges._Sender().put([PAIR])
    assert was_sent.wait(20)
    assert tries == [PAIR, PAIR]


@pytest.fixture
def stalled() -> Iterator[tuple[str, list[socket.socket]]]:
    """A server that takes connections and never answers; its URL and who came."""
    came: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            try:
                while True:
                    came.append(server.accept()[0])
            except OSError:
                pass

        threading.Thread(target=take, daemon=True).start()
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0", came
        server.shutdown(socket.SHUT_RDWR)
    for each in came:
        each.close()


def test_a_stalled_broker_is_asked_once_by_a_reader(
    stalled: tuple[str, list[socket.socket]], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One try and no more: the shard waits meanwhile, and the key expires by itself."""
    settings.REDIS_URL, came = stalled
    monkeypatch.setattr(nudges, "_clearing", None)
    nudges.nudge_taken(*PAIR)
    assert len(came) == 1
