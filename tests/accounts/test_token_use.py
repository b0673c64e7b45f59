"""When a token was last used is told within some minutes, and no request waits for that."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts import token_use
from accounts.callers import Credential
from accounts.models import AccessToken
from eqtrade.up.postgres import PostgresServer
from kernel import clock
from kernel.clock import clock_set
from tests import factories as make
from tests.stack.eventually import eventually


def test_a_use_is_noted(committed_db: PostgresServer) -> None:
    token, key = make.make_token(make.make_user())
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
    start = clock.now()

    def use(after: timedelta) -> datetime:
        with clock_set(start + after), CaptureQueriesContext(connection) as asked:
            assert client.get("/api/v1/accounts/").status_code == 200
        assert not any("UPDATE" in query["sql"] for query in asked)
        return start + after

    def is_noted(at: datetime) -> None:
        assert AccessToken.objects.get(pk=token.pk).last_used_at == at

    first = use(timedelta(0))
    eventually(lambda: is_noted(first))
    use(token_use.WRITTEN_EVERY - timedelta(seconds=1))
    later = use(token_use.WRITTEN_EVERY)
    eventually(lambda: is_noted(later))
    token_use._noted.clear()  # as another process, which knows only the row
    use(2 * token_use.WRITTEN_EVERY - timedelta(seconds=1))
    # One thread writes in turn: with this one everything before it is written.
    token_use._writer.submit(lambda: None).result()
    is_noted(later)


def test_many_requests_at_once_write_once(committed_db: PostgresServer) -> None:
    token, _ = make.make_token(make.make_user())
    used = Credential(token.pk, token.scope, None)
    now = clock.now()
    for second in range(100):
        token_use.token_used(used, now + timedelta(seconds=second))
    token_use._writer.submit(lambda: None).result()
    assert AccessToken.objects.get(pk=token.pk).last_used_at == now


def test_a_database_that_is_away_is_no_fault(
    committed_db: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.close()
    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict, "HOST", "/nonexistent")
        token_use._write(1, clock.now())
