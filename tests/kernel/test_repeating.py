"""Work that lost its connection is done again; what failed otherwise is not."""

import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import OperationalError, connection, transaction

from eqtrade.up.postgres import PostgresServer
from kernel import prepared
from kernel.postgres.base import ConnectionLost
from kernel.repeating import repeated
from tests.conftest import be
from tests.database_ends import end_own


class Work:
    """Asks, and is interrupted the first so many times."""

    def __init__(self, interrupt: Callable[[], object], times: int) -> None:
        self.interrupt = interrupt
        self.times = times
        self.calls = 0

    def __call__(self) -> int:
        self.calls += 1
        prepared.row("SELECT 1")
        if self.calls <= self.times:
            self.interrupt()
        found = prepared.row("SELECT 42")
        assert found
        return int(found[0])


@pytest.mark.parametrize("times", [0, 1, 3])
def test_work_is_done_again_on_another_connection(committed_db: PostgresServer, times: int) -> None:
    work = Work(lambda: end_own(committed_db), times)

    assert repeated(work) == 42
    assert work.calls == times + 1


def test_a_transaction_of_its_own_is_done_again_whole(committed_db: PostgresServer) -> None:
    work = Work(lambda: end_own(committed_db), 2)

    def whole() -> int:
        with transaction.atomic():
            return work()

    assert repeated(whole) == 42
    assert work.calls == 3


def test_inside_a_transaction_work_is_done_once(committed_db: PostgresServer) -> None:
    work = Work(lambda: end_own(committed_db), 1)
    with pytest.raises(ConnectionLost), transaction.atomic():
        repeated(work, seconds=60)

    assert work.calls == 1


def test_it_is_done_again_so_often_and_no_more(committed_db: PostgresServer) -> None:
    work = Work(lambda: end_own(committed_db), 10**9)
    with pytest.raises(ConnectionLost):
        repeated(work, repeats=2)
    assert work.calls == 3


@pytest.mark.parametrize("times", [0, 1])
def test_what_took_too_long_is_not_done_again(committed_db: PostgresServer, times: int) -> None:
    work = Work(lambda: end_own(committed_db), times)

    def slow() -> None:
        work()
        with transaction.atomic():
            prepared.rows("SET LOCAL statement_timeout = '20ms'")
            prepared.rows("SELECT pg_sleep(30)")

    with pytest.raises(OperationalError, match="statement timeout"):
        repeated(slow, seconds=1)
    assert work.calls == times + 1


@pytest.fixture
def own_server(
    committed_db: PostgresServer,
) -> Iterator[PostgresServer]:
    """One to be stopped at will."""
    with PostgresServer.temporary() as server:
        be(server.url("runtime"))
        yield server
        be(committed_db.url("runtime"))


def test_a_restart_is_waited_for(own_server: PostgresServer) -> None:
    starting: list[threading.Thread] = []

    def restart() -> None:
        own_server.stop()
        starting.append(threading.Thread(target=own_server.start))
        starting[-1].start()

    work = Work(restart, 1)
    assert repeated(work, seconds=60) == 42
    starting[0].join()


def test_an_outage_is_told_and_ends_by_itself(own_server: PostgresServer) -> None:
    work = Work(own_server.stop, 1)
    with pytest.raises(ConnectionLost):
        repeated(work, seconds=0.2)
    calls = work.calls

    with pytest.raises(OperationalError):
        repeated(work, seconds=60)
    assert work.calls == calls + 1

    own_server.start()
    assert repeated(work) == 42
    assert connection.connection is not None
