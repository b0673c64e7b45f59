"""A request that reads is answered whichever of its statements meets the end of its connection."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from eqtrade.up.postgres import PostgresServer
from kernel.clock import clock_set
from kernel.postgres.base import default_database
from tests import factories as make
from tests.database_ends import end_own
from tests.trades.conftest import NOW, TODAY, make_desk
from trades.models import Trade

PAGES = ["/api/v1/trades/", "/api/v1/positions/", "/api/v1/pnl/", "/admin/trades/trade/"]


class Interrupted:
    """Ends the connection before its n-th statement, or `behind` it: it is done, and nobody hears
    of it. `n` = 0 ends none."""

    def __init__(self, cluster: PostgresServer, n: int, *, behind: bool = False) -> None:
        self.cluster = cluster
        self.n = n
        self.behind = behind
        self.seen = 0

    def __call__(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        self.seen += 1
        if self.seen != self.n:
            return execute(sql, *rest)
        if self.behind:
            execute(sql, *rest)
        end_own(self.cluster)
        return execute(sql, *rest)


@pytest.fixture
def client(committed_db: PostgresServer) -> Client:
    """Of a user who may everything, with a trade to see."""
    desk = make_desk()
    boss = make.make_user("boss", is_staff=True, is_superuser=True)
    make.make_trade(boss, desk.account, desk.ibm, "10", "2", trade_date=TODAY, at=NOW)
    client = Client(raise_request_exception=False)
    client.force_login(boss)
    return client


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_read_whichever_statement_loses_its_connection(
    client: Client, committed_db: PostgresServer, page: str
) -> None:
    statements = Interrupted(committed_db, 0)
    with clock_set(NOW), connection.execute_wrapper(statements):
        expected = client.get(page)
    assert expected.status_code == 200
    assert statements.seen > 1

    for n in range(1, statements.seen + 1):
        losses = default_database().losses
        with clock_set(NOW), connection.execute_wrapper(Interrupted(committed_db, n)):
            answer = client.get(page)

        assert answer.status_code == 200, f"statement {n} of {statements.seen}"
        assert default_database().losses == losses + 1
        if page.startswith("/api/"):
            assert answer.content == expected.content


def test_an_outage_is_told_with_when_to_try_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "HOST", "/nonexistent")
    for page in PAGES:
        answer = client.get(page)

        assert answer.status_code == 503, page
        assert answer.headers["Retry-After"] == "2"


@pytest.mark.parametrize("behind", [False, True], ids=["before", "behind"])
@pytest.mark.parametrize("with_id", [False, True], ids=["plain", "with an id"])
@pytest.mark.parametrize("login", ["session", "token"])
def test_a_booking_is_written_once_whichever_statement_loses_its_connection(
    client: Client, committed_db: PostgresServer, login: str, *, with_id: bool, behind: bool
) -> None:
    """Whichever statement it is, and whether or not it was done: one booking, one trade."""
    if login == "token":
        key = make.make_token(User.objects.get(username="boss")).key
        client = Client(headers={"Authorization": f"Token {key}"}, raise_request_exception=False)
    body = {"account": "Test1", "ticker": "IBM", "side": "buy", "quantity": "1", "price": "2"}

    def book(statements: Interrupted) -> None:
        sent = body | ({"client_trade_id": str(uuid4())} if with_id else {})
        before = Trade.objects.count()
        with clock_set(NOW), connection.execute_wrapper(statements):
            answer = client.post("/api/v1/trades/", sent, content_type="application/json")

        said = f"statement {statements.n}: {answer.content!r}"
        assert answer.status_code == 201, said
        assert Trade.objects.count() == before + 1, said
        assert Trade.objects.filter(pk=answer.json()["id"]).exists(), said

    all_of_them = Interrupted(committed_db, 0)
    book(all_of_them)
    for n in range(1, all_of_them.seen + 1):
        book(Interrupted(committed_db, n, behind=behind))


@pytest.mark.parametrize("n", [1, 2])
def test_who_is_logged_in_is_read_again(
    client: Client, committed_db: PostgresServer, n: int
) -> None:
    """Session and user, for what writes, too: this would have written, were it not so wrong."""
    with connection.execute_wrapper(Interrupted(committed_db, n)):
        answer = client.post("/api/v1/prices/overrides/", "{}", content_type="application/json")

    assert answer.status_code == 400


def test_what_writes_is_not_repeated(client: Client, committed_db: PostgresServer) -> None:
    body = {"ticker": "IBM", "price": "1", "reason": "a test"}
    statements = Interrupted(committed_db, 3)
    with clock_set(NOW), connection.execute_wrapper(statements):
        answer = client.post("/api/v1/prices/overrides/", body, content_type="application/json")

    assert statements.seen == 3
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
