"""A run of the ledger's readers: what it was nudged for, what comes meanwhile, what it leaves."""

import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
import redis
from celery import current_app
from django.db import connection, transaction
from psycopg import Connection, connect

from accounts.models import Account
from eqtrade.up.postgres import PostgresServer
from eqtrade.up.valkey import ValkeyServer
from pnl import tasks as pnl_tasks
from pnl.cost.projection import COST
from pnl.models import Cost, Holding
from positions import tasks as positions_tasks
from positions.models import Position
from positions.projection import POSITIONS
from tests import factories as make
from tests.database_ends import end_all
from tests.trades.conftest import NOW, TODAY, Desk, make_desk
from trades.ledger import consumer, mailbox, nudges
from trades.ledger import multi_shard_batch as rounds
from trades.ledger.consumer import ledger_apply, ledger_sweep, shards_behind
from trades.ledger.mailbox import Mailbox
from trades.ledger.projection import Batch, Projection
from trades.ledger.registry import consumers
from trades.models import LEDGER_SHARDS, Quarantine

TASK = "positions.tasks.apply_ledger"


@pytest.fixture
def desk(committed_db: PostgresServer) -> Desk:
    return make_desk()


@pytest.fixture
def elsewhere(committed_db: PostgresServer) -> Iterator[Connection]:
    """A session of another process, in a transaction."""
    with connect(committed_db.url("runtime")) as session:
        yield session


@pytest.fixture(autouse=True)
def valkey(
    settings: Any, monkeypatch: pytest.MonkeyPatch, unhurried: None
) -> Iterator["redis.Redis"]:
    # What earlier tests left the process's sender would come into the mailboxes of these.
    monkeypatch.setattr(nudges._sender, "_send", lambda *_: None)
    with ValkeyServer.temporary() as server:
        settings.REDIS_URL = server.url()
        monkeypatch.setattr(mailbox, "_client", None)
        with redis.Redis.from_url(server.url()) as client:
            yield client


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No run ends, and no key or answer is given up, because the machine is slow. A test of what
    ends a run sets its own time."""
    monkeypatch.setattr(consumer, "TURN_SECONDS", 60)
    monkeypatch.setattr(consumer, "PATIENCE_SECONDS", 60)
    monkeypatch.setattr(mailbox, "TIMEOUT_SECONDS", 60)
    monkeypatch.setattr(mailbox, "CALLED_MS", 60_000)


@pytest.fixture(autouse=True)
def put(monkeypatch: pytest.MonkeyPatch) -> list[nudges.Nudge]:
    """What was handed to the sending thread."""
    found: list[nudges.Nudge] = []
    monkeypatch.setattr(nudges._sender, "put", lambda nudged, _=(): found.extend(nudged))
    return found


def book(desk: Desk, quantity: str = "10", account: Account | None = None) -> None:
    with transaction.atomic():
        make.make_trade(
            desk.trader, account or desk.account, desk.ibm, quantity, "2",
            trade_date=TODAY, at=NOW,
        )  # fmt: skip


def shard_of(account: Account) -> int:
    return account.pk % LEDGER_SHARDS


def held(account: Account) -> Decimal:
    found = Position.objects.filter(account=account).first()
    return found.quantity if found else Decimal(0)


class During:
    """Positions, and while the first batches are applied each time something happens elsewhere."""

    name = "positions"

    def __init__(self, *happens: Callable[[], object]) -> None:
        self._happens = list(happens)

    def apply(self, cursor: Any, batch: Batch) -> int:
        if self._happens:
            worker = threading.Thread(target=_elsewhere, args=[self._happens.pop(0)])
            worker.start()
            worker.join()
        return POSITIONS.apply(cursor, batch)


def _elsewhere(happens: Callable[[], object]) -> None:
    happens()
    connection.close()


def run(projection: Projection, *accounts: Account) -> int:
    return ledger_apply(TASK, [projection], [shard_of(account) for account in accounts])


def note(valkey: "redis.Redis", shard: int) -> None:
    """Leave the shard in the mailbox, as a nudge does while somebody is called."""
    with valkey.pipeline() as pipe:
        mailbox.put(pipe, TASK, [shard])
        pipe.execute()


class Sender(nudges._Sender):
    """Keeps what would be sent. The process's own may still be calling for what earlier tests left
    it."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[nudges.Call] = []

    def _send_task(self, call: nudges.Call) -> None:
        self.sent.append(call)


def is_called(valkey: "redis.Redis") -> bool:
    return bool(valkey.exists(mailbox._keys(TASK)[1]))


# --- the tasks ------------------------------------------------------------------------------------


def test_a_message_names_one_shard_or_several(desk: Desk) -> None:
    book(desk, "10")
    book(desk, "5", desk.other)
    assert positions_tasks.apply_ledger(shard_of(desk.account)) == 1
    assert (held(desk.account), held(desk.other)) == (10, 0)
    assert positions_tasks.apply_ledger([shard_of(desk.account), shard_of(desk.other)]) == 1
    assert (held(desk.account), held(desk.other)) == (10, 5)
    assert pnl_tasks.apply_cost(shard_of(desk.account)) == 1
    assert list(Cost.objects.values_list("quantity", flat=True)) == [10]


def test_consumers_that_share_a_queue_are_one_task(desk: Desk) -> None:
    book(desk, "10")
    assert pnl_tasks.apply_ledger([shard_of(desk.account)]) == 1
    assert Holding.objects.get().quantity == Cost.objects.get().quantity == 10


def test_every_consumer_is_served_by_its_task(desk: Desk) -> None:
    book(desk, "10")
    for call in nudges.calls_of(shards_behind()):
        current_app.tasks[call.task](*call.arguments)
    assert shards_behind() == []


# --- what comes meanwhile -------------------------------------------------------------------------


def test_what_is_booked_meanwhile_is_read_without_a_message(
    desk: Desk, valkey: "redis.Redis"
) -> None:
    """The reader has seen its shards already, and looks again before it leaves."""
    sender = Sender()

    def book_other() -> None:
        book(desk, "5", desk.other)
        sender._send([("positions", shard_of(desk.other))])

    book(desk, "10")
    assert run(During(book_other), desk.account) == 2
    assert held(desk.other) == 5
    # Nobody is called to read.
    assert sender.sent == []
    assert not is_called(valkey)


def test_shards_that_wait_in_the_mailbox_are_read_with_those_of_the_message(
    desk: Desk, valkey: "redis.Redis"
) -> None:
    book(desk, "10")
    book(desk, "5", desk.other)
    note(valkey, shard_of(desk.other))
    assert run(POSITIONS, desk.account) == 2


def test_after_its_turn_a_reader_hands_over(
    desk: Desk,
    valkey: "redis.Redis",
    put: list[nudges.Nudge],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(consumer, "TURN_SECONDS", 0)

    shard = shard_of(desk.other)

    def book_other() -> None:
        book(desk, "5", desk.other)
        note(valkey, shard)

    book(desk, "10")
    put.clear()
    assert run(During(book_other), desk.account) == 1
    # The booking nudged all, and the reader its own task.
    assert sorted(put) == sorted([*_of_booking(desk.other), ("positions", shard)])
    assert not is_called(valkey)
    assert Mailbox(TASK).take(stay=False) == set()


def _of_booking(account: Account) -> set[nudges.Nudge]:
    return {(name, shard_of(account)) for name in consumers()}


# --- the horizon ----------------------------------------------------------------------------------


def test_what_is_above_the_horizon_is_waited_for(desk: Desk, elsewhere: Connection) -> None:
    elsewhere.execute("SELECT pg_current_xact_id()")
    book(desk)
    ends = threading.Timer(0.1, elsewhere.rollback)
    ends.start()
    assert run(POSITIONS, desk.account) == 1
    ends.join()


def test_patience_ends_and_the_sweep_finds_the_rest(
    desk: Desk,
    elsewhere: Connection,
    valkey: "redis.Redis",
    put: list[nudges.Nudge],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(consumer, "PATIENCE_SECONDS", 0)
    elsewhere.execute("SELECT pg_current_xact_id()")
    book(desk)
    put.clear()
    assert run(POSITIONS, desk.account) == 0
    assert not is_called(valkey)
    assert put == []
    assert ledger_sweep() == len(consumers())
    assert sorted(put) == sorted(shards_behind()) == sorted(_of_booking(desk.account))


# --- what is too much -----------------------------------------------------------------------------


def test_one_shard_a_run_is_drained_and_the_others_go_to_the_tail(
    desk: Desk, put: list[nudges.Nudge], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "MOST_ENTRIES", 2)
    for account in (desk.account, desk.other):
        for _ in range(5):
            book(desk, "1", account)
    book(desk, "1", desk.no_short)
    put.clear()
    assert run(POSITIONS, desk.account, desk.other, desk.no_short) == 6
    first, second = sorted((desk.account, desk.other), key=shard_of)
    assert (held(first), held(second), held(desk.no_short)) == (5, 0, 1)
    assert put == [("positions", shard_of(second))]


# --- what fails -----------------------------------------------------------------------------------


class Broken:
    """A consumer whose code is ahead of its migration."""

    name = "cost"

    def apply(self, cursor: Any, batch: Batch) -> int:
        cursor.execute("UPDATE positions_position SET no_such_column = 1")
        return 0


def test_a_consumer_that_fails_holds_up_no_other(desk: Desk) -> None:
    book(desk)
    with pytest.raises(Exception, match="no_such_column"):
        ledger_apply(TASK, [Broken(), POSITIONS], shard_of(desk.account))
    assert held(desk.account) == 10
    assert not Quarantine.objects.exists()


@pytest.fixture
def no_thousands(committed_db: PostgresServer) -> Iterator[None]:
    """From now on positions of 1,000 and more cannot be stored."""
    with connect(committed_db.url("owner"), autocommit=True) as owner:
        owner.execute("ALTER TABLE positions_position ADD CONSTRAINT t CHECK (quantity < 1000)")
        yield
        owner.execute("ALTER TABLE positions_position DROP CONSTRAINT IF EXISTS t")


def test_a_bad_entry_stops_its_account_and_no_other(desk: Desk, no_thousands: None) -> None:
    for quantity in ("10", "5000", "1"):
        book(desk, quantity)
        book(desk, "7", desk.other)
    assert run(POSITIONS, desk.account, desk.other) == 4
    assert (held(desk.account), held(desk.other)) == (10, 21)
    kept = Quarantine.objects.get()
    assert (kept.consumer, kept.account) == ("positions", desk.account)
    assert "IntegrityError" in kept.error
    book(desk, "1")
    book(desk, "7", desk.other)
    assert run(POSITIONS, desk.account, desk.other) == 1
    assert (held(desk.account), held(desk.other)) == (10, 28)


def test_a_connection_that_dies_in_a_round_costs_nothing(
    desk: Desk, committed_db: PostgresServer
) -> None:
    book(desk)
    assert run(During(lambda: end_all(committed_db)), desk.account) == 1
    assert held(desk.account) == 10


def test_without_redis_a_run_reads_what_its_message_names(
    desk: Desk, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock"
    monkeypatch.setattr(mailbox, "_client", None)
    book(desk)
    assert ledger_apply("pnl.tasks.apply_cost", [COST], shard_of(desk.account)) == 1
