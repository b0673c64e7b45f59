"""The settings that follow from PUBLIC_URL, and the sources of secrets."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from eqtrade.deployment import YEAR_SECONDS, deployment
from eqtrade.secret_files import MissingSecret, required_secret, secret, with_password

LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]


def test_without_an_address_it_is_local_and_plain() -> None:
    found = deployment({})
    assert found.hosts == LOOPBACK
    assert found.is_local
    assert (found.origins, found.secure_cookies, found.hsts_seconds) == ([], False, 0)


def test_everything_follows_from_an_https_address() -> None:
    found = deployment({"PUBLIC_URL": "https://eqtrade.example.com:8443/"})
    assert found.hosts == ["eqtrade.example.com", *LOOPBACK]
    assert found.origins == ["https://eqtrade.example.com:8443"]
    assert not found.is_local
    assert found.secure_cookies
    assert found.redirects_to_https
    assert found.hsts_seconds == YEAR_SECONDS


def test_a_plain_address_asks_for_no_tls() -> None:
    found = deployment({"PUBLIC_URL": "http://[::1]:8000", "HSTS_SECONDS": ""})
    assert found.hosts == ["[::1]", "127.0.0.1", "localhost"]
    assert (found.secure_cookies, found.redirects_to_https, found.hsts_seconds) == (False, False, 0)


def test_what_is_named_beats_what_follows() -> None:
    found = deployment(
        {
            "PUBLIC_URL": "https://a.example",
            "ALLOWED_HOSTS": "b.example, c.example",
            "CSRF_TRUSTED_ORIGINS": "https://b.example",
            "COOKIES_SECURE": "no",
            "SSL_REDIRECT": "0",
            "HSTS_SECONDS": "60",
        }
    )
    assert found.hosts == ["b.example", "c.example", *LOOPBACK]
    assert found.origins == ["https://b.example"]
    assert (found.secure_cookies, found.redirects_to_https, found.hsts_seconds) == (
        False,
        False,
        60,
    )


@pytest.mark.parametrize("address", ["eqtrade.example.com", "ftp://a.example", "https://a/b"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="PUBLIC_URL must be like"):
        deployment({"PUBLIC_URL": address})


def test_a_yes_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="COOKIES_SECURE must be yes or no"):
        deployment({"COOKIES_SECURE": "maybe"})


def test_a_secret_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from a file\n")
    assert secret("KEY", {"KEY": "said"}) == "said"
    assert secret("KEY", {"KEY_FILE": str(file)}) == "from a file"
    assert secret("KEY", {}) == ""


def test_a_missing_secret_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingSecret, match="KEY is not set"):
        required_secret("KEY", {})
    with pytest.raises(MissingSecret, match=r"KEY_FILE=.*nowhere can't be read: No such file"):
        secret("KEY", {"KEY_FILE": str(tmp_path / "nowhere")})
    with pytest.raises(MissingSecret, match="Both KEY and KEY_FILE"):
        secret("KEY", {"KEY": "a", "KEY_FILE": "b"})


def test_a_password_of_any_characters_gets_into_a_url() -> None:
    environment = {"PW": "p@ss/w:rd? %"}
    assert with_password("postgres://me@host:1/db?x=1", "PW", environment) == (
        "postgres://me:p%40ss%2Fw%3Ard%3F%20%25@host:1/db?x=1"
    )
    assert with_password("redis://host:1/0", "PW", {"PW": "x"}) == "redis://:x@host:1/0"
    assert with_password("redis://host:1/0", "PW", {}) == "redis://host:1/0"


def test_plain_http_is_redirected_unless_a_proxy_took_the_tls_off(
    settings: Any, committed_db: object
) -> None:
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 60
    client = Client()
    assert client.get("/login/").headers["Location"] == "https://testserver/login/"
    secure = client.get("/login/", headers={"X-Forwarded-Proto": "https"})
    assert secure.status_code == 200
    assert secure.headers["Strict-Transport-Security"] == "max-age=60"


def test_health_is_asked_without_tls(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get("/healthz").status_code == 200
