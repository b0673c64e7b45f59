"""Whatever is sent below `/api/`: it is refused in the API's own form, and nothing fails inside."""

from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import get_resolver
from rest_framework.test import APIClient

from kernel.api.renderers import OrjsonRenderer
from tests import factories as make

SURROGATE = b'"\\ud800"'


def refused(answer: Any, status: int) -> str:
    """The code of a refusal; its form is checked."""
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert set(body) == {"type", "errors"}
    assert all(set(error) == {"code", "detail", "attr"} for error in body["errors"])
    return str(body["errors"][0]["code"])


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v2", "/api/v2/trades/"])
def test_no_address_of_the_api_is_answered_with_a_page(client: Client, path: str) -> None:
    assert refused(client.get(path), 404) == "not_found"


def test_another_host_is_refused_in_the_apis_form(client: Client) -> None:
    asked: dict[str, Any] = {"headers": {"host": "elsewhere.example"}}
    assert refused(client.get("/api/v1/accounts/", **asked), 400) == "invalid"
    assert client.get("/login/", **asked).headers["Content-Type"].startswith("text/html")


def test_what_fails_outside_of_a_view_is_told_in_the_apis_form() -> None:
    answer = get_resolver().resolve_error_handler(500)
    said = answer(RequestFactory().get("/api/v1/accounts/"))
    assert (said.status_code, said.headers["Content-Type"]) == (500, "application/json")
    page = answer(RequestFactory().get("/bulk/"))
    assert (page.status_code, page.headers["Content-Type"]) == (500, "text/html; charset=utf-8")


@pytest.mark.django_db
def test_documents_are_refused_in_the_apis_form(client: Client) -> None:
    for path in ("/api/v1/schema/", "/api/v1/docs/"):
        assert refused(client.post(path), 405) == "method_not_allowed"
        assert refused(client.get(path, {"format": "nothing"}), 404) == "not_found"
        assert refused(client.get(path, headers={"accept": "image/png"}), 406) == "not_acceptable"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "token/", b'{"username": "a", "password": "b", "scope": %s}'),
        ("post", "instruments/", b'{"ticker": "SPY", "exchange": %s}'),
        ("put", "guards/", b'[{"account": null, "code": %s}]'),
        ("put", "limits/", b'[{"account": null, "kind": %s, "amount": "1"}]'),
        ("post", "corporate-actions/", b'{"ticker": "IBM", "reason": "x", "kind": %s}'),
        ("put", "trades/imports/mappings/mine/", b'{"profile": %s}'),
        ("put", "trades/imports/mappings/mine/", b'{"date_order": %s}'),
        ("put", "trades/imports/mappings/mine/", b'{"decimal": %s}'),
        ("put", "trades/imports/mappings/mine/", b'{"order": %s}'),
        ("put", "trades/imports/mappings/mine/", b'{"mapping": {%s: "price"}}'),
        ("put", "trades/imports/mappings/mine/", b'{"mapping": {"a\\u0000": "price", %s: null}}'),
    ],
)
def test_half_a_character_is_refused_and_not_repeated(method: str, path: str, body: bytes) -> None:
    root = make.client_of(make.make_user("root", is_superuser=True, is_staff=True))
    for sent in (body % SURROGATE, body % b'"\\u0000"'):
        answer = getattr(root, method)(f"/api/v1/{path}", sent, content_type="application/json")
        assert refused(answer, 400) in ("invalid_choice", "invalid")


@pytest.mark.django_db
def test_no_mapping_has_a_name_that_cannot_be_stored() -> None:
    client: APIClient = make.client_of(make.make_user("ann"))
    assert refused(client.delete("/api/v1/trades/imports/mappings/a%00b/"), 404) == "not_found"


def test_half_a_character_fails_no_answer() -> None:
    told = OrjsonRenderer().render({"detail": "\ud800", "attr": None})
    assert told == b'{"detail":"\\ud800","attr":null}'
