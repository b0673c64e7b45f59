"""Login by OIDC, against a provider on loopback."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.socialaccount.models import SocialAccount, SocialToken
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth.models import User
from django.core import checks
from django.test import Client

from audit.models import Record, Refusal
from eqtrade.oidc_provider import oidc_providers, origins
from tests import factories as make
from tests.accounts.login_provider import CLIENT, SECRET, LoginProvider
from tests.accounts.test_second_factor import give_totp

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider(settings: Any) -> Iterator[LoginProvider]:
    with LoginProvider() as found:
        settings.OIDC_ISSUER = found.url
        settings.OIDC_ORIGINS = origins(found.url, [])
        settings.SOCIALACCOUNT_PROVIDERS = oidc_providers(found.url, CLIENT, SECRET, "the bank")
        settings.OIDC_NAME, settings.ONE_LOGIN_PAGE = "the bank", True
        yield found


@pytest.fixture
def trader(db: None) -> User:
    return make.make_user("trader")


def start(client: Client, **sent: str) -> str:
    """Off to the provider; where it sends the browser back to."""
    answer = client.post("/oidc/sso/login/", sent)
    assert answer.status_code == 302, answer.content
    back = requests.get(answer["Location"], allow_redirects=False, timeout=10)
    where = urlsplit(back.headers["Location"])
    return f"{where.path}?{where.query}"


def log_in(client: Client, **sent: str) -> Any:
    return client.get(start(client, **sent))


def since(event: str) -> list[Record]:
    return list(Record.objects.filter(event=event).order_by("pk"))


def test_who_the_provider_names_is_let_in(provider: LoginProvider, trader: User) -> None:
    client = Client()
    answer = log_in(client, next="/pnl/")
    assert (answer.status_code, answer["Location"]) == (302, "/pnl/")
    assert client.get("/api/v1/accounts/").status_code == 200
    assert client.session["_auth_user_id"] == str(trader.pk)
    (row,) = since("login.succeeded")
    assert row.actor_name == "trader"
    (linked,) = since("identity.created")
    assert (linked.object_name, linked.actor_name) == ("4711 as trader", "trader")
    assert SocialToken.objects.count() == 0


def test_from_then_on_its_id_counts_and_not_its_name(provider: LoginProvider, trader: User) -> None:
    boss = make.make_user("boss", is_superuser=True)
    log_in(Client())
    provider.claims["preferred_username"] = "boss"
    client = Client()
    assert log_in(client).status_code == 302
    assert client.session["_auth_user_id"] == str(trader.pk)
    # Nor does another identity become who has one, by taking their name.
    provider.claims = {"sub": "4712", "preferred_username": "trader"}
    assert log_in(Client()).status_code == 403
    assert SocialAccount.objects.get().user == trader
    assert not SocialAccount.objects.filter(user=boss).exists()


@pytest.mark.parametrize("name", ["stranger", "", "gone"])
def test_who_has_no_user_here_gets_none(provider: LoginProvider, name: str) -> None:
    make.make_user("gone", is_active=False)
    provider.claims["preferred_username"] = name
    client = Client()
    answer = log_in(client)
    assert answer.status_code == 403
    assert "no user for you" in answer.content.decode()
    assert client.get("/api/v1/accounts/").status_code == 401
    assert User.objects.count() == 1
    (row,) = since("login.failed")
    assert row.after == {"door": "oidc", "id": "4711"}
    assert "stranger" not in row.object_name


def test_a_user_who_is_switched_off_later_is_not_let_in(
    provider: LoginProvider, trader: User
) -> None:
    log_in(Client())
    User.objects.update(is_active=False)
    assert log_in(Client()).status_code == 403


def forge(provider: LoginProvider) -> None:
    provider.signed_with = rsa.generate_private_key(65537, 2048)


def for_another(provider: LoginProvider) -> None:
    provider.in_token = {"aud": "another"}


def of_another(provider: LoginProvider) -> None:
    provider.in_token = {"iss": "https://another.example.com"}


def too_late(provider: LoginProvider) -> None:
    provider.in_token = {"exp": int(time.time()) - 1}


def of_two(provider: LoginProvider) -> None:
    provider.userinfo = {"sub": "1", "preferred_username": "trader"}


@pytest.mark.parametrize("spoil", [forge, for_another, of_another, too_late, of_two])
def test_what_is_not_the_providers_word_lets_nobody_in(
    provider: LoginProvider, trader: User, spoil: Any
) -> None:
    spoil(provider)
    client = Client()
    assert log_in(client).status_code == 401
    assert client.get("/api/v1/accounts/").status_code == 401
    assert provider.redeemed == 1
    assert SocialAccount.objects.count() == 0


def test_a_callback_counts_once_and_for_the_browser_that_asked(
    provider: LoginProvider, trader: User
) -> None:
    mine, other = Client(), Client()
    back = start(mine)
    assert other.get(back).status_code == 401
    assert provider.redeemed == 0, "nobody is asked for a stranger"
    assert mine.get(back).status_code == 302
    assert Client().get(back).status_code == 401
    assert mine.get("/oidc/sso/login/callback/?error=access_denied").status_code == 401
    # Anybody can make such calls: they are added up.
    (row,) = Refusal.objects.all()
    assert (row.door, row.count) == ("oidc", 3)
    assert since("login.failed") == []


def test_it_only_logs_in_and_leads_to_no_other_site(provider: LoginProvider, trader: User) -> None:
    client = Client()
    assert client.post("/oidc/sso/login/", {"process": "connect"}).status_code == 404
    assert client.post("/oidc/sso/login/?scope=admin").status_code == 404
    assert client.get("/oidc/sso/login/").status_code == 405
    assert client.post("/oidc/other/login/").status_code == 404
    assert log_in(client, next="https://evil.example.com/")["Location"] == "/"


def test_the_form_of_the_login_page_may_lead_there_and_no_other(provider: LoginProvider) -> None:
    page = Client().get("/login/")
    assert "Log in with the bank" in page.content.decode()
    assert f"form-action 'self' {provider.url}" in page["Content-Security-Policy"]
    other = Client().get("/oidc/sso/login/callback/")
    assert "form-action 'self';" in other["Content-Security-Policy"] + ";"
    assert provider.url not in other["Content-Security-Policy"]


def test_the_password_still_lets_in_and_is_counted(provider: LoginProvider, trader: User) -> None:
    client = Client(REMOTE_ADDR="192.0.2.1")
    for _ in range(5):
        client.post("/login/", {"username": "trader", "password": "wrong"})
    assert client.post("/login/", {"username": "trader", "password": "demo"}).status_code == 429
    # The provider's word is no password, and nobody locks its door.
    assert log_in(client).status_code == 302


def test_the_admin_has_no_login_page_of_its_own(provider: LoginProvider, trader: User) -> None:
    answer = Client().get("/admin/login/?next=/admin/")
    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=/admin/")
    sent = {"username": "trader", "password": "demo"}
    assert Client().post("/admin/login/?next=/admin/", sent)["Location"].startswith("/login/")
    client = Client()
    client.force_login(trader)
    assert client.get("/admin/login/?next=/admin/").status_code == 403


def test_a_second_factor_is_asked_for_too(
    provider: LoginProvider, trader: User, settings: Any
) -> None:
    settings.SECOND_FACTOR = "offered"
    secret = give_totp(trader)
    client = Client()
    assert log_in(client, next="/pnl/")["Location"] == "/second-factor/authenticate/"
    (given,) = provider.given
    assert given not in repr(dict(client.session)), "the provider's token is kept nowhere"
    assert client.get("/api/v1/accounts/").status_code == 401
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    answer = client.post("/second-factor/authenticate/", {"code": code})
    assert answer["Location"] == "/pnl/"
    assert client.get("/api/v1/accounts/").status_code == 200


def test_a_provider_that_is_away(provider: LoginProvider, trader: User, settings: Any) -> None:
    provider.__exit__()
    answer = Client().post("/oidc/sso/login/")
    assert answer.status_code == 503
    assert "does not answer" in answer.content.decode()


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, []),
        ({"OIDC_ISSUER": "http://id.example.com"}, ["eqtrade.E013"]),
        ({"OIDC_CLIENT_SECRET": ""}, ["eqtrade.E012"]),
        ({"OIDC_CLIENT_ID": ""}, ["eqtrade.E012"]),
        ({"OIDC_ISSUER": "", "OIDC_CLIENT_ID": ""}, []),
        ({"SECOND_FACTOR": "yes"}, ["eqtrade.E011"]),
    ],
)
def test_half_of_it_is_refused_at_start(
    settings: Any, changed: dict[str, str], found: list[str]
) -> None:
    whole = {
        "OIDC_ISSUER": "https://id.example.com", "OIDC_CLIENT_ID": "a", "OIDC_CLIENT_SECRET": "b",
    }  # fmt: skip
    for name, value in {**whole, **changed}.items():
        setattr(settings, name, value)
    said = [each.id for each in checks.run_checks(tags=[checks.Tags.security])]
    assert [i for i in said if i in ("eqtrade.E011", "eqtrade.E012", "eqtrade.E013")] == found
