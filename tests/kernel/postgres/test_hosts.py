"""Of several hosts in one URL the one that took a connection last is asked first."""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from eqtrade.up.postgres import PostgresServer
from kernel.postgres.base import DatabaseWrapper
from tests.silent import Silent


@pytest.fixture
def home() -> Iterator[Path]:
    """Short enough for a socket's path."""
    with tempfile.TemporaryDirectory(prefix="eqtrade-hosts-") as name:
        yield Path(name)


def wrapper(*hosts: Path, **options: Any) -> DatabaseWrapper:
    given = connection.settings_dict
    asked = {
        **given["OPTIONS"],
        "host": ",".join(map(str, hosts)),
        "target_session_attrs": "read-write",
        "connect_timeout": 2,
        **options,
    }
    changes = {"OPTIONS": asked, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False}
    return DatabaseWrapper({**given, **changes}, alias="default")


def host_of(database: DatabaseWrapper) -> Path:
    return Path(database.open_connection().info.host)


def door(directory: Path, to: PostgresServer) -> Path:
    """A way to the server that can be taken away."""
    directory.mkdir()
    (directory / ".s.PGSQL.5432").symlink_to(Path(to.socket_dir) / ".s.PGSQL.5432")
    return directory


@pytest.mark.parametrize("options", [{}, {"pool": {"max_size": 4, "timeout": 5}}])
def test_a_frozen_server_named_first_is_waited_for_once(
    committed_db: PostgresServer, home: Path, options: dict[str, Any]
) -> None:
    with Silent(home / "frozen") as frozen:
        for _ in range(3):
            with closing(wrapper(frozen.directory, committed_db.socket_dir, **options)) as one:
                assert host_of(one) == committed_db.socket_dir
                one.close_pool()
            assert frozen.callers() == 1


def test_what_is_known_of_the_primary_says_nothing_of_a_standby(
    committed_db: PostgresServer, home: Path
) -> None:
    with Silent(home / "frozen") as frozen:
        hosts = frozen.directory, committed_db.socket_dir
        for number, wanted in enumerate(("read-write", "any"), 1):
            with closing(wrapper(*hosts, target_session_attrs=wanted)) as one:
                host_of(one)
            assert frozen.callers() == number


def test_the_one_that_took_over_is_asked_first(committed_db: PostgresServer, home: Path) -> None:
    first, second = door(home / "1", committed_db), door(home / "2", committed_db)
    found = []
    for here in (True, False, True):
        if here and not first.exists():
            first = door(home / "1", committed_db)
        elif not here:
            (first / ".s.PGSQL.5432").unlink()
            first.rmdir()
        with closing(wrapper(first, second)) as one:
            found.append(host_of(one))
    assert found == [first, second, second]


def test_each_host_keeps_its_port(committed_db: PostgresServer, home: Path) -> None:
    with Silent(home / "frozen") as frozen:
        hosts = frozen.directory, committed_db.socket_dir
        for ports in ("5432,5432", "5432"):
            with closing(wrapper(*hosts, port=ports)) as one:
                assert host_of(one) == committed_db.socket_dir
        (committed_db.socket_dir / ".s.PGSQL.5433").symlink_to(
            committed_db.socket_dir / ".s.PGSQL.5432"
        )
        try:
            for _ in range(2):
                with closing(wrapper(*hosts, port="5432,5433")) as one:
                    assert one.open_connection().info.port == 5433
        finally:
            (committed_db.socket_dir / ".s.PGSQL.5433").unlink()
        assert frozen.callers() == 2
