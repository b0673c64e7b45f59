"""Tokens: made for a password, listed, taken back, ended; and read by nobody a second time."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import AccessToken
from accounts.services import tokens_tidy
from kernel import clock
from kernel.clock import clock_set
from tests import factories as make

pytestmark = pytest.mark.django_db

TOKEN, TOKENS, ACCOUNTS = "/api/v1/token/", "/api/v1/tokens/", "/api/v1/accounts/"
DAY = 24 * 3600


@pytest.fixture
def user() -> User:
    return make.make_user("ann")


def ask(**sent: Any) -> Any:
    body = {"username": "ann", "password": "demo", **sent}
    return APIClient().post(TOKEN, body, format="json")


def with_key(key: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
    return client


def lets_in(key: str) -> bool:
    status = with_key(key).get(ACCOUNTS).status_code
    assert status in (200, 401)
    return bool(status == 200)


def listed(key: str) -> list[dict[str, Any]]:
    answer = with_key(key).get(TOKENS)
    assert answer.status_code == 200
    rows: list[dict[str, Any]] = answer.json()["results"]
    return rows


# --- asking for one ------------------------------------------------------------------------------


def test_a_token_for_a_password(user: User) -> None:
    now = clock.now()
    with clock_set(now):
        answer = ask()
    assert answer.status_code == 200
    given = answer.json()
    assert set(given) == {"token", "id", "scope", "expires_at"}
    assert given["scope"] == "trade"
    assert datetime.fromisoformat(given["expires_at"]) == now + timedelta(hours=12)
    assert lets_in(given["token"])


def test_each_call_makes_another_one(user: User) -> None:
    first, second = ask().json(), ask().json()
    assert first["token"] != second["token"]
    assert lets_in(first["token"])
    assert lets_in(second["token"])
    assert [row["id"] for row in listed(first["token"])] == [first["id"], second["id"]]


def test_name_scope_and_lifetime_as_asked(user: User) -> None:
    now = clock.now()
    with clock_set(now):
        given = ask(name="nightly report", scope="read", expires_in=365 * DAY).json()
        (row,) = listed(given["token"])
    assert set(row) == {"id", "name", "scope", "created_at", "last_used_at", "expires_at"}
    assert (row["id"], row["name"], row["scope"]) == (given["id"], "nightly report", "read")
    assert datetime.fromisoformat(row["created_at"]) == now
    assert datetime.fromisoformat(row["expires_at"]) == now + timedelta(days=365)


@pytest.mark.parametrize(
    ("sent", "attr"),
    [
        ({"expires_in": 0}, "expires_in"),
        ({"expires_in": 365 * DAY + 1}, "expires_in"),
        ({"expires_in": "60"}, "expires_in"),
        ({"scope": "admin"}, "scope"),
        ({"name": "x" * 81}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"id": 1}, "id"),
    ],
)
def test_what_is_refused(user: User, sent: dict[str, Any], attr: str) -> None:
    answer = ask(**sent)
    assert answer.status_code == 400
    assert [error["attr"] for error in answer.json()["errors"]] == [attr]
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("wrong", [{"password": "no"}, {"username": "bob"}])
def test_a_wrong_password_makes_none(user: User, wrong: dict[str, str]) -> None:
    answer = ask(**wrong)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "invalid_credentials"
    assert not AccessToken.objects.exists()


# --- its end -------------------------------------------------------------------------------------


def test_it_ends_when_it_said(user: User) -> None:
    now = clock.now()
    with clock_set(now):
        key = ask(expires_in=60).json()["token"]
    with clock_set(now + timedelta(seconds=59)):
        assert lets_in(key)
    with clock_set(now + timedelta(seconds=60)):
        assert not lets_in(key)
        other = ask().json()
        assert [row["id"] for row in listed(other["token"])] == [other["id"]]
        assert tokens_tidy(now=clock.now()) == 1
        assert [token.pk for token in AccessToken.objects.all()] == [other["id"]]


def test_taken_back(user: User) -> None:
    gone, kept = make.make_token(user), make.make_token(user)
    answer = with_key(kept.key).delete(f"{TOKENS}{gone.token.pk}/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert not lets_in(gone.key)
    assert [row["id"] for row in listed(kept.key)] == [kept.token.pk]
    assert with_key(kept.key).delete(f"{TOKENS}{gone.token.pk}/").status_code == 404


def test_somebody_elses_does_not_exist(user: User) -> None:
    theirs = make.make_token(make.make_user("bob"))
    own = make.make_token(user)
    assert [row["id"] for row in listed(own.key)] == [own.token.pk]
    assert with_key(own.key).delete(f"{TOKENS}{theirs.token.pk}/").status_code == 404
    assert lets_in(theirs.key)


def test_a_stranger_lists_and_ends_none(user: User) -> None:
    token = make.make_token(user)
    assert APIClient().get(TOKENS).status_code == 401
    assert APIClient().delete(f"{TOKENS}{token.token.pk}/").status_code == 401
    assert lets_in(token.key)


def test_the_digest_is_no_key(user: User) -> None:
    token = make.make_token(user).token
    assert not lets_in(bytes(token.digest).hex())


def test_it_ends_with_the_password(user: User) -> None:
    token = make.make_token(user)
    user.set_password("another password")
    user.save()
    assert not lets_in(token.key)
    assert [row["id"] for row in listed(make.make_token(user).key)] != [token.token.pk]


def test_it_ends_with_a_password_that_anything_writes(user: User) -> None:
    """Whoever changes the row, even past Django."""
    token = make.make_token(user)
    User.objects.filter(pk=user.pk).update(password="something else")
    assert not lets_in(token.key)


def test_it_lets_no_inactive_user_in(user: User) -> None:
    token = make.make_token(user)
    user.is_active = False
    user.save()
    assert with_key(token.key).get(ACCOUNTS).status_code == 401


# --- the row -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"digest": b"short"},
        {"password_digest": b""},
        {"scope": "all"},
        {"expires_at": "created_at"},
        {"expires_at": "366 days"},
    ],
    ids=str,
)
def test_rules_that_the_database_keeps(user: User, change: dict[str, Any]) -> None:
    token = make.make_token(user).token
    for name, value in change.items():
        if value == "created_at":
            value = token.created_at
        elif value == "366 days":
            value = token.created_at + timedelta(days=366)
        setattr(token, name, value)
    with pytest.raises(IntegrityError), transaction.atomic():
        token.save()


def test_nobody_reads_a_key_in_the_admin(user: User) -> None:
    token = make.make_token(user)
    boss = Client()
    boss.force_login(make.make_user("boss", is_staff=True, is_superuser=True))
    for page in ("", f"{token.token.pk}/change/", f"{token.token.pk}/delete/"):
        answer = boss.get(f"/admin/accounts/accesstoken/{page}")
        assert answer.status_code == 200
        text = answer.content.decode()
        assert "ann" in text
        assert token.key not in text
        assert "digest" not in text.lower()
    assert boss.get("/admin/accounts/accesstoken/add/").status_code == 403
    sent = boss.post(f"/admin/accounts/accesstoken/{token.token.pk}/delete/", {"post": "yes"})
    assert sent.status_code == 302
    assert not lets_in(token.key)
