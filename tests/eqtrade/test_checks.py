"""Each dangerous setting is refused, by name; a proper deployment has nothing to be said of it."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
import redis
from django.contrib.auth.models import User
from django.core.checks import CheckMessage
from django.db import connection

from eqtrade import server_checks
from eqtrade.up.options import PROJECT
from eqtrade.up.postgres import PostgresServer
from eqtrade.up.valkey import ValkeyServer
from tests.conftest import be

PROPER = {
    "SECRET_KEY": "5PAu0gY3rYb1Wl3mQ2nT8xVdK7sZcE9fHjLpRwXyNaBtGiUo-example",
    "PUBLIC_URL": "https://eqtrade.example.com",
    "PRICE_SOURCE": "yahoo",
}


def check(*arguments: str, **changed: str) -> tuple[int, str]:
    return manage("check", "--fail-level", "WARNING", *arguments, **changed)


def manage(*arguments: str, **changed: str) -> tuple[int, str]:
    """`manage.py` in a process of its own, with this environment only."""
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": "postgres://nobody@/x?host=/nonexistent",
        "REDIS_URL": "unix:///nonexistent/valkey.sock?db=0",
        **PROPER,
        **changed,
    }
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_proper_deployment_is_clean() -> None:
    code, said = check("--deploy")
    assert code == 0, said


def test_traces_without_their_packages_are_refused() -> None:
    asks = (
        "import sys; sys.modules['opentelemetry'] = None;"
        "from django.core.management import execute_from_command_line as call;"
        "call(['manage.py', 'check'])"
    )
    for collector, is_refused in (("http://127.0.0.1:4318", True), ("", False)):
        done = subprocess.run(
            [sys.executable, "-c", asks],
            cwd=PROJECT,
            env={
                "DJANGO_SETTINGS_MODULE": "eqtrade.settings",
                "DATABASE_URL": "postgres://nobody@/x?host=/nonexistent",
                "REDIS_URL": "unix:///nonexistent/valkey.sock?db=0",
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector,
                **PROPER,
            },
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert ("eqtrade.E018" in done.stderr) is is_refused, done.stderr
        assert done.returncode == int(is_refused)


def test_everything_that_is_wrong_is_named_at_once() -> None:
    code, said = check(
        "--deploy",
        DEBUG="1",
        EQTRADE_LOCAL_STACK="1",
        ALLOWED_HOSTS="*",
        COOKIES_SECURE="no",
        CSRF_TRUSTED_ORIGINS="https://elsewhere.example",
        PRICE_SOURCE="simulated",
        SECRET_KEY="short",
        HSTS_SECONDS="0",
        SSL_REDIRECT="no",
    )
    assert code == 1
    for number in ("E004", "E005", "E006", "E007", "W002", "W004"):
        assert f"eqtrade.{number}" in said, said
    for number in ("W004", "W008", "W009", "W012", "W016", "W018"):
        assert f"security.{number}" in said, said


def test_a_missing_key_is_an_error_without_deploy_too() -> None:
    code, said = check(SECRET_KEY="")
    assert code == 1
    assert "SECRET_KEY" in said


@pytest.mark.parametrize("key", ["x" * 49, "short", "ab" * 40])
def test_nothing_starts_with_a_key_that_could_be_guessed(key: str) -> None:
    for arguments in (["check"], ["shell", "-c", "print('it started')"]):
        code, said = manage(*arguments, SECRET_KEY=key)
        assert code == 1
        assert "SECRET_KEY must have 50 characters or more" in said
        assert key not in said
        assert "it started" not in said


def test_a_laptop_starts_with_any_key() -> None:
    code, said = check(SECRET_KEY="short", EQTRADE_LOCAL_STACK="1", PUBLIC_URL="")
    assert code == 0, said


def test_a_laptop_is_not_bothered() -> None:
    code, said = check(DEBUG="1", EQTRADE_LOCAL_STACK="1", PUBLIC_URL="", PRICE_SOURCE="simulated")
    assert code == 0, said


# --- what the servers are like ------------------------------------------------------------------


def ids(found: list[CheckMessage]) -> list[str]:
    return sorted(str(message.id) for message in found)


@pytest.fixture
def as_owner(committed_db: PostgresServer) -> Iterator[None]:
    be(committed_db.url("owner"))
    yield
    be(committed_db.url("runtime"))


def test_the_runtime_role_is_bound(committed_db: PostgresServer) -> None:
    assert server_checks.runtime_role_is_bound(databases=["default"]) == []


def test_the_owner_may_not_serve(as_owner: None) -> None:
    found = server_checks.runtime_role_is_bound(databases=["default"])
    assert ids(found) == ["eqtrade.E012", *["eqtrade.E014"] * 3, "eqtrade.W005"]
    assert "trades_ledgerentry" in str(found)


def test_servers_are_asked_only_where_a_database_is_named() -> None:
    assert server_checks.runtime_role_is_bound() == []
    assert server_checks.nobody_has_the_known_password() == []
    assert server_checks.broker_keeps_what_it_has() == []


def test_the_demo_password_is_found(committed_db: PostgresServer) -> None:
    User.objects.create_user("trader", password="demo")
    User.objects.create_user("ops", password="another")
    User.objects.create_user("viewer", password="demo", is_active=False)
    found = server_checks.nobody_has_the_known_password(databases=["default"])
    assert ids(found) == ["eqtrade.E015"]
    assert "password: trader." in str(found[0])


def test_a_broker_that_throws_keys_away_is_refused(settings: object) -> None:
    with ValkeyServer.temporary() as valkey:
        settings.REDIS_URL = valkey.url()  # type: ignore[attr-defined]
        settings.CELERY_BROKER_URL = "redis+socket://x"  # type: ignore[attr-defined]
        assert server_checks.broker_keeps_what_it_has(databases=["default"]) == []
        subject = redis.Redis.from_url(valkey.url())
        subject.config_set("maxmemory-policy", "allkeys-lru")
        found = server_checks.broker_keeps_what_it_has(databases=["default"])
    assert ids(found) == ["eqtrade.E017"]


def test_the_runtime_role_sees_how_old_others_transactions_are(
    committed_db: PostgresServer,
) -> None:
    from trades.ledger.lag import horizon

    with psycopg.connect(committed_db.url("owner")) as other:
        other.execute("SELECT pg_current_xact_id()")
        found = horizon()
    connection.close()
    assert found.user == "eqtrade_owner"
    assert found.age_seconds is not None
