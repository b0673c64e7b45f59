"""The pool alone: who gets a connection, in what state, and how many there are."""

import select
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from eqtrade.up.postgres import PostgresServer
from kernel.postgres.pool import Connection, Pool, PoolExhausted, is_quiet
from tests.database_ends import end_all

SIZE = 8


class Opening:
    """Opens connections, and remembers them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.opened: list[Connection] = []
        self.refused = False

    def __call__(self) -> Connection:
        if self.refused:
            raise psycopg.OperationalError("refused, for a test")
        self.opened.append(psycopg.connect(self.url, autocommit=True))
        return self.opened[-1]

    @property
    def alive(self) -> int:
        return sum(not connection.closed for connection in self.opened)


@pytest.fixture
def opening(cluster: PostgresServer) -> Iterator[Opening]:
    opening = Opening(cluster.url("runtime"))
    yield opening
    for connection in opening.opened:
        connection.close()


@contextmanager
def lent(pool: Pool) -> Iterator[Connection]:
    connection = pool.getconn()
    try:
        yield connection
    finally:
        pool.putconn(connection)


def fill(pool: Pool, size: int = SIZE) -> None:
    """Have so many idle connections in it."""
    for connection in [pool.getconn() for _ in range(size)]:
        pool.putconn(connection)


def test_one_connection_serves_who_comes_one_after_the_other(opening: Opening) -> None:
    pool = Pool(opening)
    for _ in range(3):
        with lent(pool) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)

    assert len(opening.opened) == 1


def test_connections_that_died_cost_nobody_anything(
    opening: Opening, cluster: PostgresServer
) -> None:
    pool = Pool(opening, max_size=SIZE)

    def use(_: int) -> int:
        with lent(pool) as connection:
            found = connection.execute("SELECT pg_backend_pid()").fetchone()
            assert found
            return int(found[0])

    for _ in range(5):
        fill(pool)
        before = {
            connection.info.backend_pid for connection in opening.opened if is_quiet(connection)
        }
        assert len(before) == SIZE
        assert end_all(cluster) >= SIZE
        with ThreadPoolExecutor(2 * SIZE) as threads:
            served = set(threads.map(use, range(4 * SIZE)))

        assert served.isdisjoint(before)


def test_what_came_in_unasked_is_not_handed_out(opening: Opening) -> None:
    """Not only its end: whatever is on the socket is the answer to somebody else's question."""
    pool = Pool(opening)
    with lent(pool) as connection:
        connection.execute("LISTEN tests")
    with psycopg.connect(opening.url, autocommit=True) as other:
        other.execute("NOTIFY tests")
    assert select.select([connection], [], [], 60)[0]

    with lent(pool) as another:
        assert another is not connection
    assert connection.closed


def test_there_are_never_more_than_allowed(opening: Opening) -> None:
    pool = Pool(opening, max_size=3, timeout=60)
    inside: set[int] = set()
    most: list[int] = []
    guard = threading.Lock()

    def use(_: int) -> None:
        with lent(pool) as connection:
            with guard:
                assert id(connection) not in inside
                inside.add(id(connection))
                most.append(opening.alive)
            connection.execute("SELECT pg_sleep(0.001)")
            with guard:
                inside.remove(id(connection))

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(use, range(300)))

    assert max(most) <= 3
    assert len(opening.opened) <= 3


def test_whoever_waits_too_long_is_told(opening: Opening) -> None:
    pool = Pool(opening, max_size=1, timeout=0.01)
    with lent(pool), pytest.raises(PoolExhausted):
        pool.getconn()

    with lent(pool) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_whoever_waits_gets_what_comes_back(opening: Opening) -> None:
    pool = Pool(opening, max_size=1, timeout=60)
    first = pool.getconn()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(pool.getconn)
        pool.putconn(first)
        assert waiting.result(60) is first


def test_an_outage_is_told_at_once_and_takes_no_place(opening: Opening) -> None:
    pool = Pool(opening, max_size=1, timeout=60)
    opening.refused = True
    for _ in range(3):
        with pytest.raises(psycopg.OperationalError, match="refused"):
            pool.getconn()
    opening.refused = False

    with lent(pool) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("statement", ["SELECT 1", "SELECT 1/0"])
def test_what_comes_back_in_a_transaction_is_closed(opening: Opening, statement: str) -> None:
    pool = Pool(opening, max_size=1)
    connection = pool.getconn()
    connection.autocommit = False
    try:
        connection.execute(statement)
    except psycopg.errors.DivisionByZero:
        assert connection.info.transaction_status == TransactionStatus.INERROR
    pool.putconn(connection)

    assert connection.closed
    with lent(pool) as another:
        assert another is not connection


def test_what_nobody_needs_is_closed(opening: Opening) -> None:
    pool = Pool(opening, max_idle=0)
    fill(pool, 4)

    assert opening.alive <= 1


def test_a_closed_pool_closes_what_is_idle_and_what_comes_back(opening: Opening) -> None:
    pool = Pool(opening)
    fill(pool, 2)
    connection = pool.getconn()
    pool.close()
    assert opening.alive == 1

    pool.putconn(connection)
    assert opening.alive == 0
