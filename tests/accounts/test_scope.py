"""A token to read with changes nothing, whatever its user may."""

import re
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from accounts.models import AccessToken
from prices.models import PriceOverride
from tests import factories as make
from trades.models import Trade, TradeVersion

pytestmark = pytest.mark.django_db

SAFE = {"get", "head", "options"}
# Calls that a token to read with may make.
ALLOWED = {("post", "/api/v1/token/"), ("delete", "/api/v1/tokens/{token}/")}


@pytest.fixture(scope="module")
def calls() -> list[tuple[str, str]]:
    """Those that change something. Before the database is asked: no transaction waits while the
    schema is made."""
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    every = [(m, path) for path, methods in schema["paths"].items() for m in methods]
    return sorted({call for call in every if call[0] not in SAFE} - ALLOWED)


@pytest.fixture
def boss() -> Any:
    return make.make_user("boss", is_staff=True, is_superuser=True)


def with_scope(user: Any, scope: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {make.make_token(user, scope=scope).key}")
    return client


def codes(answer: Any) -> list[str]:
    return [error["code"] for error in answer.json().get("errors", [])]


def send(client: APIClient, method: str, path: str) -> Any:
    value = "1" if "override" in path else "01234567-89ab-7def-8123-456789abcdef"
    path = re.sub(r"\{\w+\}", value, path)
    return getattr(client, method)(path, {}, format="json")


def test_it_may_not_book_correct_import_override(boss: Any, calls: list[tuple[str, str]]) -> None:
    """Each call that changes something; the same with a token to trade says something else."""
    reads, trades = with_scope(boss, "read"), with_scope(boss, "trade")
    assert len(calls) >= 8
    for method, path in calls:
        refused = send(reads, method, path)
        assert (refused.status_code, codes(refused)) == (403, ["insufficient_scope"]), path
        assert "insufficient_scope" not in codes(send(trades, method, path)), path
    assert not Trade.objects.exists()
    assert not TradeVersion.objects.exists()
    assert not PriceOverride.objects.exists()


def test_who_asks_comes_first_and_scope_before_the_body(boss: Any) -> None:
    for body in (b"{", b"[]", b" " * 100_000 + b"{}"):
        post: Any = {"data": body, "content_type": "application/json"}
        assert APIClient().post("/api/v1/trades/", **post).status_code == 401
        answer = with_scope(boss, "read").post("/api/v1/trades/", **post)
        assert (answer.status_code, codes(answer)) == (403, ["insufficient_scope"])


def test_it_may_read(boss: Any) -> None:
    client = with_scope(boss, "read")
    for path in ("accounts", "trades", "positions", "prices", "tokens"):
        assert client.get(f"/api/v1/{path}/").status_code == 200, path


def test_it_may_end_itself_and_no_other(boss: Any) -> None:
    own, other = (make.make_token(boss, scope=scope) for scope in ("read", "trade"))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {own.key}")
    for token in (other.token.pk, other.token.pk + 1):
        answer = client.delete(f"/api/v1/tokens/{token}/")
        assert (answer.status_code, codes(answer)) == (403, ["insufficient_scope"])
    assert client.delete(f"/api/v1/tokens/{own.token.pk}/").status_code == 204
    assert [token.pk for token in AccessToken.objects.all()] == [other.token.pk]
