"""The second factor: who is asked for it, at which door, and what a wrong code costs."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
)
from axes.models import AccessLog
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from accounts.attempts import CODE_HOLDS, attempts_tidy, code_used
from accounts.models import AccessToken, UsedCode
from accounts.services import token_create
from audit.models import Record, Refusal
from blotter.live.logins import Login, users_of
from eqtrade.up.postgres import PostgresServer
from kernel.clock import clock_set
from tests import factories as make
from tests.at_once import at_once

NOW = datetime(2026, 3, 18, 13, 30, tzinfo=UTC)
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.9"
CODE = "/second-factor/authenticate/"


def give_totp(user: User) -> str:
    """The user has a second factor from now on; its secret."""
    secret: str = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


def code_of(secret: str, steps: int = 0) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps)))


@pytest.fixture(autouse=True)
def offered(settings: Any, committed_db: PostgresServer) -> Iterator[None]:
    settings.SECOND_FACTOR, settings.ONE_LOGIN_PAGE = "offered", True
    cache.clear()
    with clock_set(NOW):
        yield


@pytest.fixture
def trader() -> User:
    return make.make_user("trader")


@pytest.fixture
def secret(trader: User) -> str:
    return give_totp(trader)


def half(address: str = HERE, password: str = "demo") -> Client:  # noqa: S107 - of the tests
    """A browser that sent the password."""
    client = Client(REMOTE_ADDR=address)
    client.post("/login/?next=/pnl/", {"username": "trader", "password": password})
    return client


def is_in(client: Client) -> bool:
    return client.get("/api/v1/accounts/").status_code == 200


def token(address: str = HERE, **sent: str) -> Any:
    given = {"username": "trader", "password": "demo", **sent}
    return APIClient(REMOTE_ADDR=address).post("/api/v1/token/", given, format="json")


def errors(answer: Any) -> list[str]:
    return [each["code"] for each in answer.json()["errors"]]


# --- the doors -----------------------------------------------------------------------------------


def test_the_password_is_half_of_a_login(secret: str) -> None:
    client = half()
    assert not is_in(client)
    assert client.get("/")["Location"].startswith("/login/")
    assert client.get(CODE).status_code == 200
    answer = client.post(CODE, {"code": code_of(secret)})
    assert (answer.status_code, answer["Location"]) == (302, "/pnl/")
    assert is_in(client)
    (row,) = Record.objects.filter(event="login.succeeded")
    assert row.actor_name == "trader"


def test_a_code_without_a_password_is_nothing(secret: str) -> None:
    client = Client()
    assert client.post(CODE, {"code": code_of(secret)})["Location"] == "/login/"
    assert not is_in(client)
    wrong = half(password="not it")
    assert wrong.post(CODE, {"code": code_of(secret)})["Location"] == "/login/"


def test_who_has_none_is_not_asked(trader: User) -> None:
    assert is_in(half())
    assert token().status_code == 200


def test_the_admin_has_no_door_that_knows_passwords_alone(trader: User, secret: str) -> None:
    User.objects.update(is_staff=True)
    sent = {"username": "trader", "password": "demo"}
    client = Client()
    answer = client.post("/admin/login/?next=/admin/", sent)
    assert answer["Location"] == "/login/?next=/admin/"
    assert not is_in(client)


def test_a_token_is_given_for_the_code_too(secret: str) -> None:
    answer = token()
    assert (answer.status_code, errors(answer)) == (400, ["code_missing"])
    answer = token(code="000000")
    assert (answer.status_code, errors(answer)) == (400, ["code_wrong"])
    assert AccessToken.objects.count() == 0
    assert token(code=code_of(secret)).status_code == 200
    assert AccessToken.objects.count() == 1


def test_off_means_nobody_is_asked(settings: Any, secret: str) -> None:
    settings.SECOND_FACTOR = "off"
    assert is_in(half())
    assert token().status_code == 200
    assert half().get("/second-factor/").status_code == 404


def test_its_pages_have_the_policy_of_all_and_are_stored_nowhere(trader: User) -> None:
    client = half()
    sent = {"password": "demo", "next": "/second-factor/"}
    again = client.get("/reauthenticate/")
    client.post("/reauthenticate/", sent)
    pages = [client.get(f"/second-factor/{at}") for at in ("", "totp/activate/")]
    give_totp(trader)
    pages += [again, half().get(CODE), client.get("/second-factor/recovery-codes/generate/")]
    for page in pages:
        assert page.status_code == 200
        policy = page["Content-Security-Policy"]
        assert "script-src 'self';" in policy + ";"
        assert "form-action 'self';" in policy + ";"
        assert "no-store" in page["Cache-Control"]


# --- what a wrong code costs ----------------------------------------------------------------------


def test_the_sixth_wrong_code_and_all_after_it_are_refused(secret: str) -> None:
    client = half()
    for _ in range(5):
        answer = client.post(CODE, {"code": "000000"})
        assert answer.status_code == 200
        assert "This code is wrong" in answer.content.decode()
    answer = client.post(CODE, {"code": code_of(secret)})
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 900
    assert not is_in(client)
    # The doors are one: passwords and codes are counted together.
    assert token(code=code_of(secret)).status_code == 429
    assert Record.objects.filter(event="login.failed").count() == 5
    assert Record.objects.filter(event="login.failed", after__of="code").count() == 5
    assert sum(r.count for r in Refusal.objects.all()) == 2
    with clock_set(NOW + timedelta(minutes=15)):
        assert half().post(CODE, {"code": code_of(secret)}).status_code == 302


def test_the_api_counts_codes_and_says_so_in_its_own_form(secret: str) -> None:
    assert Counter(token(code="000000").status_code for _ in range(7)) == {400: 5, 429: 2}
    assert errors(token(code=code_of(secret))) == ["too_many_wrong_passwords"]


def test_who_knows_the_password_alone_is_not_known_at_their_address(secret: str) -> None:
    """Else each address that has it could try five codes, beyond the thirty of all."""
    addresses = [f"198.51.100.{n}" for n in range(6)]
    for address in addresses:
        client = half(address)
        assert [client.post(CODE, {"code": "000000"}).status_code for _ in range(5)] == [200] * 5
    assert AccessLog.objects.count() == 0
    assert token("203.0.113.5", code=code_of(secret)).status_code == 429


def test_a_code_lets_in_once_whichever_process_it_is_sent_to(trader: User, secret: str) -> None:
    code = code_of(secret)
    first, second = half(), half()
    assert first.post(CODE, {"code": code}).status_code == 302
    # Another process knows nothing of what this one keeps in memory.
    cache.clear()
    assert second.post(CODE, {"code": f" {code[:3]} {code[3:]}"}).status_code == 200
    assert not is_in(second)
    assert UsedCode.objects.count() == 1
    assert code_used(user=trader.pk, code=code, now=NOW + CODE_HOLDS * 1.1)


def test_of_many_at_once_one_uses_a_code(trader: User) -> None:
    answers = at_once(*[lambda: code_used(user=trader.pk, code="123456", now=NOW)] * 8)
    assert Counter(answers) == {True: 1, False: 7}
    assert attempts_tidy(now=NOW + CODE_HOLDS * 1.1) == 1


def test_a_recovery_code_lets_in_once_and_its_use_is_recorded(trader: User, secret: str) -> None:
    codes = RecoveryCodes.activate(trader).get_unused_codes()
    before = Record.objects.count()
    assert half().post(CODE, {"code": codes[3]}).status_code == 302
    assert [r.event for r in Record.objects.filter(pk__gt=0).order_by("pk")[before:]] == [
        "second_factor.changed", "login.succeeded",
    ]  # fmt: skip
    assert half().post(CODE, {"code": codes[3]}).status_code == 200
    assert half().post(CODE, {"code": codes[4]}).status_code == 302


def test_the_database_holds_no_secret_that_makes_codes(
    trader: User, secret: str, settings: Any
) -> None:
    codes = RecoveryCodes.activate(trader)
    seed = codes.generate_codes()
    with connection.cursor() as cursor:
        cursor.execute("SELECT data::text FROM mfa_authenticator")
        kept = " ".join(row[0] for row in cursor.fetchall())
        cursor.execute("SELECT coalesce(before, after)::text FROM audit_record")
        kept += " ".join(row[0] or "" for row in cursor.fetchall())
    assert secret not in kept
    assert not any(code in kept for code in seed)
    # With another key nobody gets in by it, and nobody is let off.
    settings.SECRET_KEY = "another key of the tests, as long as it has to be"
    answer = token(code=code_of(secret))
    assert (answer.status_code, errors(answer)) == (400, ["code_wrong"])


# --- setting it up, and taking it away ------------------------------------------------------------


def set_up(client: Client) -> tuple[str, Any]:
    """As somebody who is logged in; the secret, and the page of recovery codes."""
    page = client.get("/second-factor/totp/activate/", follow=True)
    if "password" in page.request["PATH_INFO"] or "reauthenticate" in page.request["PATH_INFO"]:
        sent = {"password": "demo", "next": "/second-factor/totp/activate/"}
        page = client.post("/reauthenticate/", sent, follow=True)
    secret = page.context["form"].secret
    done = client.post("/second-factor/totp/activate/", {"code": code_of(secret)}, follow=True)
    return secret, done


def test_setting_it_up(trader: User) -> None:
    client = half()
    asked = client.get("/second-factor/totp/activate/")
    assert asked["Location"].startswith("/reauthenticate/"), "the password again"
    before = Record.objects.count()
    secret, shown = set_up(client)
    assert shown.request["PATH_INFO"] == "/second-factor/recovery-codes/"
    assert len(shown.context["unused_codes"]) == 10
    assert shown["Cache-Control"].find("no-store") >= 0
    assert [r.event for r in Record.objects.order_by("pk")[before:]] == [
        "second_factor.created", "second_factor.created",
        # That the codes to recover with were shown.
        "second_factor.changed",
    ]  # fmt: skip
    again = client.get("/second-factor/recovery-codes/")
    assert "****" not in again.content.decode()
    assert shown.context["unused_codes"][0] not in again.content.decode(), "shown once"
    assert not is_in(half())
    assert secret not in repr(dict(client.session))


def test_the_password_again_is_counted_as_at_every_door(trader: User) -> None:
    client = half()
    sent = {"password": "not it", "next": "/second-factor/"}
    answers = [client.post("/reauthenticate/", sent).status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]
    assert client.post("/reauthenticate/", {"password": "demo"}).status_code == 429
    assert is_in(client), "their session goes on"


def test_the_code_again_is_counted_too(trader: User, secret: str) -> None:
    client = half()
    client.post(CODE, {"code": code_of(secret)})
    again = "/second-factor/reauthenticate/"
    answers = [client.post(again, {"code": "000000"}).status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]


def test_taking_it_away(trader: User, secret: str) -> None:
    client = half()
    client.post(CODE, {"code": code_of(secret)})
    client.post("/reauthenticate/", {"password": "demo", "next": "/second-factor/"})
    assert client.post("/second-factor/totp/deactivate/").status_code == 302
    assert Authenticator.objects.count() == 0
    assert is_in(half())


def test_staff_take_it_from_who_lost_theirs(trader: User, secret: str) -> None:
    RecoveryCodes.activate(trader)
    boss = Client()
    boss.force_login(make.make_user("boss", is_staff=True, is_superuser=True))
    found = Authenticator.objects.get(type="totp")
    page = boss.get(f"/admin/mfa/authenticator/{found.pk}/change/").content.decode()
    assert "data" not in page.split("<form")[1].split("</form")[0].lower()
    before = Record.objects.count()
    boss.post(f"/admin/mfa/authenticator/{found.pk}/delete/", {"post": "yes"})
    assert Authenticator.objects.count() == 0
    assert [(r.event, r.actor_name) for r in Record.objects.order_by("pk")[before:]] == [
        ("second_factor.deleted", "boss"), ("second_factor.deleted", "boss"),
    ]  # fmt: skip


# --- who has to have one --------------------------------------------------------------------------


@pytest.fixture
def staff(trader: User, settings: Any) -> User:
    settings.SECOND_FACTOR = "staff"
    User.objects.update(is_staff=True, is_superuser=True)
    trader.refresh_from_db()
    return trader


def test_staff_may_do_nothing_but_set_it_up(staff: User) -> None:
    made = token_create(user=staff, now=NOW)
    client: Any = half()
    for path in ("/", "/admin/", "/tokens/", "/prices/", "/admin/auth/user/", "/second-factor/"):
        answer = client.get(path)
        assert (answer.status_code, answer["Location"]) == (302, "/second-factor/totp/activate/")
    for path in ("/api/v1/accounts/", "/api/v1/system/", "/metrics", "/internal/staff/"):
        answer = client.get(path)
        assert (answer.status_code, errors(answer)) == (403, ["second_factor_missing"]), path
    assert errors(token()) == ["second_factor_missing"]
    program = APIClient()
    program.credentials(HTTP_AUTHORIZATION=f"Token {made.key}")
    answer = program.get("/api/v1/accounts/")
    assert (answer.status_code, errors(answer)) == (403, ["second_factor_missing"])
    key = client.session.session_key
    assert key
    assert users_of([Login(session=key), Login(token=made.key)], NOW) == {}
    set_up(client)
    assert is_in(client)
    assert program.get("/api/v1/accounts/").status_code == 200
    assert len(users_of([Login(session=key), Login(token=made.key)], NOW)) == 2
    assert client.get("/admin/").status_code == 200


def test_staff_do_not_take_it_away(staff: User) -> None:
    client = half()
    set_up(client)
    answer = client.post("/second-factor/totp/deactivate/")
    assert "cannot deactivate" in answer.content.decode()
    assert Authenticator.objects.filter(type="totp").count() == 1


def test_others_need_none_unless_everybody_does(trader: User, settings: Any) -> None:
    settings.SECOND_FACTOR = "staff"
    assert is_in(half())
    settings.SECOND_FACTOR = "everyone"
    assert not is_in(half())
    assert errors(token()) == ["second_factor_missing"]
