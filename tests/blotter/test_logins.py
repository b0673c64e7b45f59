"""A websocket lives no longer than what let its user in."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from blotter.live.logins import Login, users_of
from blotter.live.revocation import _asks
from kernel import clock
from kernel.clock import clock_set
from tests import factories as make

pytestmark = pytest.mark.django_db


def _session(client: Client, user: User) -> Login:
    client.force_login(user)
    return Login(session=client.session.session_key or "")


def test_a_session_holds_until_log_out(client: Client) -> None:
    user = User.objects.create_user("ann", password="a password")
    login = _session(client, user)
    assert users_of([login], clock.now()) == {login: user.pk}
    assert users_of([login], clock.now() + timedelta(days=3650)) == {}
    client.logout()
    assert users_of([login], clock.now()) == {}


def test_a_session_ends_with_the_password(client: Client) -> None:
    user = User.objects.create_user("ann", password="a password")
    login = _session(client, user)
    user.set_password("another password")
    user.save()
    assert users_of([login], clock.now()) == {}


def test_a_token_holds_until_it_is_taken_back() -> None:
    user = User.objects.create_user("ann", password="a password")
    token = make.make_token(user)
    login = Login(token=token.key)
    assert users_of([login], clock.now()) == {login: user.pk}
    token.token.delete()
    assert users_of([login], clock.now()) == {}


def test_nothing_lets_nobody_in() -> None:
    assert users_of([Login()], clock.now()) == {}


def test_many_cost_three_queries(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    logins = set()
    for number in range(5):
        user = User.objects.create_user(f"user{number}", password="a password")
        logins |= {_session(client, user), Login(token=make.make_token(user).key)}
        client.cookies.clear()
    with django_assert_num_queries(3):
        assert len(users_of(logins, clock.now())) == 10


def test_everything_of_an_inactive_user_ends(client: Client) -> None:
    user = User.objects.create_user("ann", password="a password")
    token = make.make_token(user)
    logins = {_session(client, user), Login(token=token.key)}
    user.is_active = False
    user.save()
    assert users_of(logins, clock.now()) == {}


def test_a_page_that_watches_uses_its_session(client: Client) -> None:
    """And one that is only connected does not."""
    user = User.objects.create_user("ann", password="a password")
    login = _session(client, user)
    later = clock.now() + timedelta(seconds=settings.SESSION_IDLE_SECONDS / 2)
    end = Session.objects.get().expire_date
    with clock_set(later):
        for used, moved in ((set(), False), ({login.session}, True)):
            users, _ = _asks({login}, set(), used)()
            assert users == {login: user.pk}
            assert (Session.objects.get().expire_date > end) == moved
