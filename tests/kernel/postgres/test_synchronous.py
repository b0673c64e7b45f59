"""Commits that wait for a standby: what ended that wait early is not answered for."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from accounts.models import Account
from eqtrade.up.postgres import PostgresServer
from kernel.api.writing import WritesAwaitStandby
from kernel.postgres.base import NotReplicated, default_database
from kernel.postgres.synchronous import await_standby
from tests import factories as make
from tests.stack.eventually import eventually
from trades.models import Trade, TradeVersion

WAITING = (
    "SELECT pid, backend_start FROM pg_stat_activity"
    " WHERE usename = 'eqtrade' AND wait_event = 'SyncRep'"
)


class Standby:
    """A standby that confirms nothing: it is named, and is not there."""

    def __init__(self, cluster: PostgresServer) -> None:
        self.admin = psycopg.connect(cluster.url("superuser"), autocommit=True)
        self.admin.execute("ALTER ROLE eqtrade SET synchronous_commit = on")

    def name(self, name: str) -> None:
        self.admin.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'".encode())
        self.admin.execute("SELECT pg_reload_conf()")

    def waiting(self, not_in: Any = None) -> tuple[Any, ...]:
        def look() -> tuple[Any, ...]:
            found = [row for row in self.admin.execute(WAITING).fetchall() if row != not_in]
            assert found
            return found[0]

        return eventually(look)

    def end(self) -> None:
        self.name("")
        self.admin.execute("ALTER ROLE eqtrade RESET synchronous_commit")
        self.admin.close()


def anew() -> None:
    """A connection, made as the settings are now."""
    database = default_database()
    database.close()
    database.__dict__.pop("wrap_database_errors", None)


@pytest.fixture
def standby(committed_db: PostgresServer, settings: Any) -> Iterator[Standby]:
    settings.DATABASE_SYNCHRONOUS = True
    found = Standby(committed_db)
    anew()
    try:
        yield found
    finally:
        found.end()
        settings.DATABASE_SYNCHRONOUS = False
        anew()


@pytest.fixture
def aside() -> Iterator[Callable[..., Future[Any]]]:
    """Call something in a thread, with a connection of its own."""
    pool = ThreadPoolExecutor(1)

    def call(work: Callable[[], Any]) -> Future[Any]:
        def whole() -> Any:
            try:
                return work()
            finally:
                connection.close()

        return pool.submit(whole)

    yield call
    pool.shutdown()


def _one_statement() -> None:
    Account.objects.filter(code="Test1").update(name="another")


def _a_transaction() -> None:
    with transaction.atomic():
        _one_statement()


@pytest.mark.parametrize("work", [_one_statement, _a_transaction])
def test_a_cancelled_wait_is_no_success(
    standby: Standby, aside: Callable[..., Future[Any]], work: Callable[[], None]
) -> None:
    make.make_account("Test1")
    standby.name("nobody")
    commit = aside(work)
    pid, _ = standby.waiting()
    standby.admin.execute("SELECT pg_cancel_backend(%s)", [pid])
    with pytest.raises(NotReplicated):
        commit.result(30)


def test_what_was_confirmed_is_not_doubted(standby: Standby) -> None:
    """Nor what comes after a doubt, on the same connection."""
    make.make_account("Test1")
    _a_transaction()
    await_standby()


def test_a_booking_found_on_repeat_is_answered_when_the_standby_has_it(
    standby: Standby, aside: Callable[..., Future[Any]]
) -> None:
    trader, account = make.make_user("trader"), make.make_account("Test1")
    make.entitle(trader, account, book=True)
    make.make_instrument("IBM")
    client = make.client_of(trader)
    body = {"account": "Test1", "ticker": "IBM", "side": "buy", "quantity": "1", "price": "10",
            "client_trade_id": "mine"}  # fmt: skip

    def book() -> int:
        return int(client.post("/api/v1/trades/", body, format="json").status_code)

    standby.name("nobody")
    booking = aside(book)
    first = standby.waiting()
    assert not Trade.objects.exists(), "not seen before it is confirmed"
    standby.admin.execute("SELECT pg_terminate_backend(%s)", [first[0]])
    # It repeats, finds its row, and waits again.
    standby.waiting(not_in=first)
    assert Trade.objects.count() == 1
    with pytest.raises(TimeoutError):
        booking.result(0.3)
    standby.name("")
    assert booking.result(30) == 201
    assert TradeVersion.objects.count() == 1

    # The same from its sender, who was never answered; there is nothing to write.
    standby.name("nobody")
    again = aside(book)
    pid, _ = standby.waiting()
    standby.admin.execute("SELECT pg_cancel_backend(%s)", [pid])
    assert again.result(30) == 503, "what nobody has confirmed is no success"
    again = aside(book)
    standby.waiting()
    standby.name("")
    assert again.result(30) == 200
    assert TradeVersion.objects.count() == 1


def test_without_the_setting_nothing_is_written(
    committed_db: PostgresServer, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        await_standby()


def test_writers_leave_room_for_readers(committed_db: PostgresServer, settings: Any) -> None:
    settings.DATABASE_SYNCHRONOUS, settings.WRITES_AT_ONCE = True, 1
    inside, go_on = threading.Event(), threading.Event()

    def answer(request: HttpRequest) -> HttpResponse:
        if request.method == "POST":
            inside.set()
            go_on.wait(30)
        return HttpResponse("done")

    room, requests = WritesAwaitStandby(answer), RequestFactory()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: room(requests.post("/api/v1/trades/")))
        inside.wait(30)
        refused = room(requests.post("/api/v1/trades/"))
        assert (refused.status_code, refused["Retry-After"]) == (503, "2")
        assert room(requests.get("/api/v1/positions/")).status_code == 200
        go_on.set()
        assert first.result(30).status_code == 200
    assert room(requests.post("/api/v1/trades/")).status_code == 200
