"""A user's rate of calls: where it is set, and open while Redis is away."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import resolve
from rest_framework.test import APIClient
from rest_framework.views import APIView

from eqtrade.up.valkey import ValkeyServer
from kernel.api import rates
from kernel.clock import clock_set
from tests import factories as make

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 18, 16, 0, 10, tzinfo=UTC)
URL = "/api/v1/accounts/"


@pytest.fixture
def client(settings: Any, monkeypatch: pytest.MonkeyPatch) -> APIClient:
    # Views made by a decorator copy what APIView has when they are first read: read before.
    resolve(URL)
    settings.API_CALLS_PER_MINUTE = 3
    monkeypatch.setattr(APIView, "throttle_classes", [rates.CallRate])
    monkeypatch.setattr(rates, "_client", None)
    return make.client_of(make.make_user())


def test_a_user_has_so_many_calls_a_minute(client: APIClient, settings: Any) -> None:
    with ValkeyServer.temporary() as server, clock_set(NOW):
        settings.REDIS_URL = server.url()
        assert [client.get(URL).status_code for _ in range(3)] == [200] * 3
        answer = client.get(URL)
        assert (answer.status_code, answer["Retry-After"]) == (429, "50")
        assert answer.json()["type"] == "client_error"
        assert answer.json()["errors"][0]["code"] == "throttled"
        assert make.client_of(make.make_user("other")).get(URL).status_code == 200
        with clock_set(NOW + timedelta(seconds=50)):
            assert client.get(URL).status_code == 200


def test_without_redis_nobody_is_refused(client: APIClient) -> None:
    assert {client.get(URL).status_code for _ in range(10)} == {200}
