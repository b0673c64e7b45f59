"""Sessions: kept under a hash of their key, ended by idleness, by age, by the password."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client, override_settings

from accounts.browser_sessions import sessions_used, stored_key
from accounts.tasks import credentials_tidy
from kernel import clock
from kernel.clock import clock_set
from tests import factories as make

pytestmark = pytest.mark.django_db

IDLE = timedelta(seconds=settings.SESSION_IDLE_SECONDS)
LONGEST = timedelta(seconds=settings.SESSION_COOKIE_AGE)
MINUTE = timedelta(minutes=1)
PAGE = "/api/v1/accounts/"


@pytest.fixture
def user() -> User:
    return make.make_user("ann")


@pytest.fixture
def start() -> datetime:
    return clock.now().replace(microsecond=0)


def log_in(at: datetime) -> Client:
    client = Client()
    with clock_set(at):
        assert client.login(username="ann", password="demo")
    return client


def is_in(client: Client, at: datetime) -> bool:
    with clock_set(at):
        return bool(client.get(PAGE).status_code == 200)


def key_of(client: Client) -> str:
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def test_the_limits_are_those_that_were_promised() -> None:
    assert timedelta(hours=12) == IDLE < LONGEST <= timedelta(days=14)


def test_an_idle_session_ends(user: User, start: datetime) -> None:
    assert is_in(log_in(start), start + IDLE - MINUTE)
    assert not is_in(log_in(start), start + IDLE)


def test_a_used_one_goes_on_until_it_is_too_old(user: User, start: datetime) -> None:
    client = log_in(start)
    at = start
    while at + IDLE / 2 < start + LONGEST:
        at += IDLE / 2
        assert is_in(client, at), at - start
    assert is_in(client, start + LONGEST - MINUTE)
    assert not is_in(client, start + LONGEST)


def test_a_login_begins_a_new_time(user: User, start: datetime) -> None:
    """Of a session that was there before, and was nobody's."""
    client = Client()
    with clock_set(start):
        client.session.save()
    later = start + IDLE / 2
    with clock_set(later):
        assert client.login(username="ann", password="demo")
    at = later
    while at + IDLE / 2 < later + LONGEST:
        at += IDLE / 2
        assert is_in(client, at), at - later


def test_a_watched_page_is_a_use(user: User, start: datetime) -> None:
    client, other = log_in(start), log_in(start)
    at = start
    while at + IDLE / 2 < start + LONGEST:
        at += IDLE / 2
        sessions_used([key_of(client)], at)
    assert is_in(client, at)
    assert not is_in(other, at)
    sessions_used([key_of(client), key_of(other)], start + LONGEST)
    assert not is_in(client, start + LONGEST)


def test_an_ended_session_is_not_woken(user: User, start: datetime) -> None:
    client = log_in(start)
    sessions_used([key_of(client)], start + IDLE)
    assert not is_in(client, start + IDLE)


def test_a_use_is_seldom_written(
    user: User, start: datetime, django_assert_num_queries: Callable[..., object]
) -> None:
    client = log_in(start)
    ends = Session.objects.get().expire_date
    assert is_in(client, start + IDLE / 200)
    assert Session.objects.get().expire_date == ends
    assert is_in(client, start + IDLE / 50)
    assert Session.objects.get().expire_date > ends


def test_what_is_kept_lets_nobody_in(user: User, start: datetime) -> None:
    client = log_in(start)
    session = Session.objects.get()
    assert session.session_key == stored_key(key_of(client))
    assert key_of(client) not in session.session_data
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    assert not is_in(thief, start)
    assert is_in(client, start)


def test_logging_out_deletes_it(user: User, start: datetime) -> None:
    client = log_in(start)
    copy = Client()
    copy.cookies[settings.SESSION_COOKIE_NAME] = key_of(client)
    assert is_in(copy, start)
    client.post("/logout/")
    assert not is_in(copy, start)
    assert not Session.objects.exists()


def test_a_new_password_ends_the_others(user: User, start: datetime) -> None:
    here, elsewhere = log_in(start), log_in(start)
    new = "correct horse battery staple"
    sent = {"old_password": "demo", "new_password1": new, "new_password2": new}
    with clock_set(start):
        assert here.post("/password/", sent).status_code == 302
    assert is_in(here, start)
    assert not is_in(elsewhere, start)


def test_ended_ones_are_cleared_away(user: User, start: datetime) -> None:
    kept = log_in(start)
    log_in(start)
    make.make_token(user)
    Session.objects.exclude(session_key=stored_key(key_of(kept))).update(expire_date=start - IDLE)
    user.access_tokens.update(created_at=start - 2 * IDLE, expires_at=start - IDLE)
    credentials_tidy()
    assert [s.session_key for s in Session.objects.all()] == [stored_key(key_of(kept))]
    assert not user.access_tokens.exists()


# --- passwords -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("new", "changed"), [("k7#pQ9!zRw2", False), ("k7#pQ9!zRw2x", True)])
def test_twelve_characters_where_a_person_sets_one(
    user: User, start: datetime, new: str, *, changed: bool
) -> None:
    sent = {"old_password": "demo", "new_password1": new, "new_password2": new}
    log_in(clock.now()).post("/password/", sent)
    user.refresh_from_db()
    assert user.check_password(new) == changed


def test_twelve_characters_in_the_command(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda **_: "k7#pQ9!zRw2")
    with pytest.raises(CommandError):
        call_command("changepassword", "ann")
    assert User.objects.get(pk=user.pk).check_password("demo")


def test_a_password_hashed_anew_ends_no_token(user: User) -> None:
    """Django hashes it anew at a login when its own way of hashing has become slower."""
    token = make.make_token(user)
    before = user.password
    with override_settings(PASSWORD_HASHERS=HASHERS):
        assert Client().login(username="ann", password="demo")
    user.refresh_from_db()
    assert user.password != before
    client = Client(headers={"Authorization": f"Token {token.key}"})
    assert client.get(PAGE).status_code == 200
    user.set_password("another password")
    user.save()
    assert client.get(PAGE).status_code == 401


HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.MD5PasswordHasher",
]
