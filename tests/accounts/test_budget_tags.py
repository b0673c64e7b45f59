"""What nginx counts a user's calls in flight by: in all of their keys, and in nobody else's."""

import re

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from rest_framework.test import APIClient

from accounts.browser_sessions import SessionStore
from accounts.callers import budget_tag
from accounts.services import token_create
from eqtrade.up.nginx import TEMPLATE
from kernel import clock
from tests import factories as make

pytestmark = pytest.mark.django_db
PAGE = "/api/v1/accounts/"
OF_SESSION, OF_TOKEN = (
    # As Python writes named groups.
    re.compile(found.replace("(?<", "(?P<"))
    for found in re.findall(r'"~(\^[^"]*_tag>[^"]*)"', TEMPLATE.read_text())
)


@pytest.fixture
def ann() -> User:
    return make.make_user("ann")


def session_of(name: str) -> str:
    client = Client()
    assert client.post("/login/", {"username": name, "password": "demo"}).status_code == 302
    return client.cookies["sessionid"].value


def test_all_keys_of_a_user_hold_one_tag_and_no_other_users(ann: User) -> None:
    bob = make.make_user("bob")
    found = set()
    for user in (ann, bob):
        for _ in range(2):
            seen = OF_SESSION.match(session_of(user.username))
            assert seen is not None
            held = OF_TOKEN.match(f"Token {token_create(user=user, now=clock.now()).key}")
            assert held is not None
            assert seen["session_tag"] == held["token_tag"] == budget_tag(user.pk)
            found.add(held["token_tag"])
    assert len(found) == 2


def test_a_key_whose_tag_is_changed_is_none(ann: User) -> None:
    key, token = session_of("ann"), token_create(user=ann, now=clock.now()).key
    other = budget_tag(ann.pk + 1)
    for changed, status in ((False, 200), (True, 401)):
        browser, program = Client(), APIClient()
        mine = other + key[20:] if changed else key
        browser.cookies["sessionid"] = mine
        held = token.replace(budget_tag(ann.pk), other) if changed else token
        program.credentials(HTTP_AUTHORIZATION=f"Token {held}")
        assert browser.get(PAGE).status_code == program.get(PAGE).status_code == status


def test_the_tag_stands_in_no_key_of_who_is_nobody(ann: User) -> None:
    session = SessionStore()
    session["a"] = 1
    session.create()
    assert OF_SESSION.match(str(session.session_key)) is None
    # One row a login: the key that was changed twice left none behind.
    before = Session.objects.count()
    session_of("ann")
    assert Session.objects.count() == before + 1
