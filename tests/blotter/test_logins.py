"""A websocket lives no longer than what let its user in."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.authtoken.models import Token

from blotter.live.logins import Login, ended_logins
from kernel import clock

pytestmark = pytest.mark.django_db


def _session(client: Client, user: User) -> Login:
    client.force_login(user)
    return Login(user.pk, session=client.session.session_key or "")


def test_a_session_holds_until_log_out(client: Client) -> None:
    user = User.objects.create_user("ann", password="a password")
    login = _session(client, user)
    assert ended_logins([login], clock.now()) == set()
    assert ended_logins([login], clock.now() + timedelta(days=3650)) == {login}
    client.logout()
    assert ended_logins([login], clock.now()) == {login}


def test_a_session_ends_with_the_password(client: Client) -> None:
    user = User.objects.create_user("ann", password="a password")
    login = _session(client, user)
    user.set_password("another password")
    user.save()
    assert ended_logins([login], clock.now()) == {login}


def test_a_token_holds_until_it_is_taken_back() -> None:
    user = User.objects.create_user("ann", password="a password")
    token = Token.objects.create(user=user)
    login = Login(user.pk, token=token.key)
    assert ended_logins([login], clock.now()) == set()
    token.delete()
    assert ended_logins([login], clock.now()) == {login}


def test_everything_of_an_inactive_user_ends(client: Client) -> None:
    user = User.objects.create_user("ann", password="a password")
    token = Token.objects.create(user=user)
    logins = {_session(client, user), Login(user.pk, token=token.key)}
    user.is_active = False
    user.save()
    assert ended_logins(logins, clock.now()) == logins
