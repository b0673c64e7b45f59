"""Whatever is sent below `/api/`: it is refused in the API's own form, and nothing fails inside."""

from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import get_resolver


def refused(answer: Any, status: int) -> str:
    """The code of a refusal; its form is checked."""
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert set(body) == {"type", "errors"}
    assert all(set(error) == {"code", "detail", "attr"} for error in body["errors"])
    return str(body["errors"][0]["code"])


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1", "/api/v2/trades/"])
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
