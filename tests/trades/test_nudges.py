"""Waking the readers: after the commit and never before, once for many bookings, and never in the
way of anybody."""

import socket
import threading
from collections.abc import Collection, Iterator
from typing import Any

import pytest
import redis
from django.db import transaction

from eqtrade.up.postgres import PostgresServer
from eqtrade.up.valkey import ValkeyServer
from kernel.following import Followed
from tests import factories as make
from tests.trades.conftest import NOW, TODAY, Desk, make_desk
from trades.ledger import mailbox, nudges, registry
from trades.ledger.mailbox import Mailbox
from trades.ledger.nudges import Call
from trades.ledger.registry import consumers

PAIR = ("positions", 3)
TASK = "positions.tasks.apply_ledger"
CALL = Call(TASK, "positions", [[3]], nudges.EXPIRES_SECONDS)
_, CALLED, _ = mailbox._keys(TASK)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests' bookings could not send is tried again each second: not in these."""

    def not_now(*_: object) -> None:
        raise ConnectionError("not now")

    monkeypatch.setattr(nudges._sender, "_send", not_now)


@pytest.fixture
def valkey(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator["redis.Redis"]:
    with ValkeyServer.temporary() as server:
        settings.REDIS_URL = server.url()
        monkeypatch.setattr(mailbox, "_client", None)
        with redis.Redis.from_url(server.url()) as client:
            yield client


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """What would have gone to the broker."""
    found: list[Call] = []
    monkeypatch.setattr(nudges._Sender, "_send_task", lambda _, call: found.append(call))
    return found


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch) -> list[nudges.Nudge]:
    """What was handed to the sending thread."""
    found: list[nudges.Nudge] = []
    monkeypatch.setattr(nudges._sender, "put", lambda nudged, _=(): found.extend(nudged))
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
    assert sorted(put) == sorted((name, shard) for name in consumers())


def test_what_is_rolled_back_wakes_nobody(desk: Desk, put: list[nudges.Nudge]) -> None:
    with transaction.atomic():
        book(desk)
        transaction.set_rollback(True)
    assert put == []


def test_many_bookings_are_one_message_until_a_reader_has_left(
    valkey: "redis.Redis", sent: list[Call]
) -> None:
    sender, reader = nudges._Sender(), Mailbox(TASK)
    for shard in (3, 3, 5):
        sender._send([("positions", shard)])
    assert sent == [CALL]
    assert 0 < valkey.pttl(CALLED) <= mailbox.CALLED_MS
    assert reader.take(stay=False) == {3, 5}
    # It is at it, and will look again.
    sender._send([PAIR])
    assert reader.take(stay=False) == {3}
    assert sent == [CALL]
    # Nothing came since: it has left.
    assert reader.take(stay=False) == set()
    sender._send([PAIR])
    assert sent == [CALL, CALL]


def test_a_reader_that_waits_for_the_horizon_is_called_by_nobody(
    valkey: "redis.Redis", sent: list[Call]
) -> None:
    sender, reader = nudges._Sender(), Mailbox(TASK)
    assert reader.take(stay=True) == set()
    sender._send([PAIR])
    assert sent == []
    reader.leave()
    sender._send([("positions", 4)])
    assert sent == [CALL._replace(arguments=[[4]])]
    assert reader.take(stay=False) == {3, 4}


def test_consumers_that_share_a_queue_share_a_message(
    valkey: "redis.Redis", sent: list[Call]
) -> None:
    nudges._Sender()._send([(c, s) for c in registry.consumers() for s in (7, 1)])
    assert [(call.task, call.queue, call.arguments) for call in sent] == [
        ("pnl.tasks.apply_ledger", "pnl", [[1, 7]]),
        ("positions.tasks.apply_ledger", "positions", [[1, 7]]),
    ]


def test_what_gathers_is_one_sending(
    valkey: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one is on its way, a thousand bookings queue; they are the next."""
    sendings: list[set[nudges.Nudge]] = []
    named: list[list[str]] = []
    began, may_go_on, done = threading.Event(), threading.Event(), threading.Event()

    def send(
        _: nudges._Sender, found: Collection[nudges.Nudge], whose: Collection[Followed] = ()
    ) -> None:
        sendings.append(set(found))
        named.append([one.request_id for one in whose])
        if len(sendings) == 1:
            began.set()
            assert may_go_on.wait(20)
        else:
            done.set()

    monkeypatch.setattr(nudges._Sender, "_send", send)
    sender = nudges._Sender()
    sender.put([PAIR])
    assert began.wait(20)
    for number in range(500):
        whose = [Followed(f"request {number}", (number,))]
        sender.put([("positions", number % 4), ("pnl", number % 4)], whose)
    may_go_on.set()
    assert done.wait(20)
    assert sendings == [{PAIR}, {(c, s) for c in ("positions", "pnl") for s in range(4)}]
    assert named == [[], [f"request {number}" for number in range(500)]]


def test_an_import_is_one_message_until_its_worker_begins(
    valkey: "redis.Redis", sent: list[Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nudges, "_clearing", None)
    sender = nudges._Sender()
    for name in ("a", "a", "b"):
        sender._send([(nudges.IMPORTS, name)])
    assert [call.arguments for call in sent] == [["a"], ["b"]]
    assert 0 < valkey.pttl(nudges.import_key("a")) <= nudges.IMPORT_COALESCE_MS
    nudges.import_taken("a")
    sender._send([(nudges.IMPORTS, "a")])
    assert [call.arguments for call in sent] == [["a"], ["b"], ["a"]]


def test_a_nudge_that_was_not_sent_is_sent_later(
    valkey: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first try leaves its key, though nothing was sent: the next must come after that."""
    tries: list[Call] = []
    was_sent = threading.Event()

    def send(_: nudges._Sender, call: Call) -> None:
        tries.append(call)
        if len(tries) == 1:
            raise ConnectionError("The broker went away.")
        was_sent.set()

    monkeypatch.setattr(nudges._Sender, "_send_task", send)
    nudges._Sender().put([PAIR])
    assert was_sent.wait(20)
    assert tries == [CALL, CALL]


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
    """One try a run and no more: the shards wait meanwhile, and the key expires by itself."""
    settings.REDIS_URL, came = stalled
    monkeypatch.setattr(mailbox, "_client", None)
    reader = Mailbox(TASK)
    assert reader.take(stay=True) == set()
    assert reader.take(stay=False) == set()
    reader.leave()
    assert len(came) == 1
