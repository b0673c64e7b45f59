"""What the application itself tells a browser; nginx adds the rest (tests/up)."""

import pytest
from django.test import Client

from tests.factories import make_user

pytestmark = pytest.mark.django_db


def policy(text: str) -> dict[str, str]:
    return dict(part.strip().partition(" ")[::2] for part in text.split(";"))


def test_a_page_runs_files_of_its_own_origin_only() -> None:
    found = policy(Client().get("/login/")["Content-Security-Policy"])
    assert found["default-src"] == found["object-src"] == found["base-uri"] == "'none'"
    assert found["script-src"] == found["connect-src"] == found["form-action"] == "'self'"
    assert found["frame-ancestors"] == "'none'"


@pytest.mark.parametrize("path", ["/no/such/page", "/admin/login/", "/api/v1/docs/"])
def test_every_page_has_the_policy(path: str) -> None:
    answer = Client().get(path)
    assert policy(answer["Content-Security-Policy"])["script-src"] == "'self'"


def test_cookies_stay_with_this_site_and_away_from_scripts() -> None:
    make_user("anna")
    client = Client()
    client.get("/login/")
    client.post("/login/", {"username": "anna", "password": "demo"})
    assert client.cookies["csrftoken"]["samesite"] == "Lax"
    session = client.cookies["sessionid"]
    assert (session["samesite"], session["httponly"]) == ("Lax", True)


def test_no_other_origin_is_let_in() -> None:
    for path in ("/api/v1/accounts/", "/login/", "/api/v1/schema/"):
        answer = Client().get(path, headers={"origin": "https://evil.example.com"})
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_a_form_of_another_site_changes_nothing() -> None:
    user = make_user("anna")
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    for path in ("/logout/", "/password/", "/login/"):
        assert client.post(path, headers={"origin": "https://evil.example.com"}).status_code == 403
    # Nor does an address that is only visited.
    assert client.get("/logout/").status_code == 405
    assert client.get("/password/").status_code == 200
