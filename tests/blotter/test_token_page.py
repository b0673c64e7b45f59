"""The page of one's own tokens, past the browser: whose they are, and what is asked for."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.models import AccessToken
from tests import factories as make

pytestmark = pytest.mark.django_db

PAGE = "/tokens/"
WANTED = {"name": "report", "scope": "read", "hours": "12", "password": "demo"}


@pytest.fixture
def user() -> User:
    return make.make_user("ann")


@pytest.fixture
def client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def key_in(answer: Any) -> str:
    return str(answer.context["new"].key)


def test_a_new_one_is_shown_once_and_kept_nowhere_else(client: Client, user: User) -> None:
    answer = client.post(PAGE, WANTED)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    assert key_in(answer) in answer.content.decode()
    (token,) = user.access_tokens.all()
    assert (token.name, token.scope) == ("report", "read")
    assert key_in(answer) not in client.get(PAGE).content.decode()
    assert key_in(answer) not in str(dict(client.session))


@pytest.mark.parametrize(
    "change",
    [{"password": ""}, {"password": "no"}, {"hours": "9999"}, {"scope": "all"}, {"name": ""}],
    ids=str,
)
def test_what_is_refused(client: Client, change: dict[str, str]) -> None:
    answer = client.post(PAGE, {**WANTED, **change})
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == list(change)
    assert not AccessToken.objects.exists()


def test_who_has_no_password_needs_none(client: Client, user: User) -> None:
    """Somebody whom another system lets in."""
    user.set_unusable_password()
    user.save()
    client.force_login(user)
    assert client.post(PAGE, {**WANTED, "password": ""}).context["new"] is not None


def test_only_ones_own_are_shown_and_ended(client: Client, user: User) -> None:
    bob = make.make_user("bob")
    own, theirs = make.make_token(user, name="mine"), make.make_token(bob, name="of another")
    shown = client.get(PAGE).content.decode()
    assert "mine" in shown
    assert "of another" not in shown
    for token in (own.token, theirs.token):
        assert client.get(f"{PAGE}{token.pk}/end/").status_code in (403, 405)
        assert client.post(f"{PAGE}{token.pk}/end/").status_code == 302
    assert [token.pk for token in AccessToken.objects.all()] == [theirs.token.pk]


def test_a_stranger_sees_the_login() -> None:
    for answer in (Client().get(PAGE), Client().post(f"{PAGE}1/end/")):
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/login/")
