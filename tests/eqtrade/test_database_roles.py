"""The roles as a managed PostgreSQL's administrator makes them, who is no superuser."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from eqtrade.database_roles import RUNTIME_SETTINGS
from eqtrade.up.options import PROJECT
from eqtrade.up.postgres import PostgresServer

PASSWORD = "p@ss/w:rd? %"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A cluster whose roles of ours are gone again, with an administrator."""
    with PostgresServer.temporary() as server:
        with psycopg.connect(server.url("superuser"), autocommit=True) as superuser:
            superuser.execute("DROP DATABASE eqtrade")
            superuser.execute("REVOKE pg_read_all_stats FROM eqtrade")
            superuser.execute("DROP ROLE eqtrade; DROP ROLE eqtrade_owner")
            superuser.execute("CREATE ROLE master LOGIN CREATEROLE CREATEDB PASSWORD 'm'")
        yield server


def make_roles(server: PostgresServer, **changed: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "ADMIN_DATABASE_URL": server.url("superuser").replace("postgres:s@", "master@"),
        "ADMIN_DATABASE_PASSWORD": "m",
        "OWNER_PASSWORD": "o",
        "DATABASE_PASSWORD": PASSWORD,
        **changed,
    }
    return subprocess.run(
        [sys.executable, "-m", "eqtrade.database_roles"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def log_in(server: PostgresServer, password: str) -> psycopg.Connection:
    return psycopg.connect(
        host=str(server.socket_dir), user="eqtrade", password=password, dbname="eqtrade"
    )


def test_an_administrator_makes_them_and_mends_them(server: PostgresServer) -> None:
    done = make_roles(server)
    assert done.returncode == 0, done.stderr
    with log_in(server, PASSWORD) as runtime:
        for name in RUNTIME_SETTINGS:
            assert runtime.execute(f"SHOW {name}").fetchone() != ("0",)
        assert runtime.execute("SHOW jit").fetchone() == ("off",)
        row = runtime.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = 'eqtrade'"
        ).fetchone()
        assert row == (False, False, False)
        owner = runtime.execute(
            "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'eqtrade'"
        ).fetchone()
        assert owner == ("eqtrade_owner",)

    # A changed password takes effect at the next run.
    assert make_roles(server, DATABASE_PASSWORD="another").returncode == 0
    log_in(server, "another").close()
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        log_in(server, PASSWORD)


def test_a_missing_secret_is_named(server: PostgresServer) -> None:
    done = make_roles(server, OWNER_PASSWORD="")
    assert (done.returncode, done.stderr) == (
        1,
        "OWNER_PASSWORD is not set (nor a file OWNER_PASSWORD_FILE).\n",
    )
