"""Restored to a second from its log, a cluster goes on where it was: no epoch begins.

It keeps its identifier, and its transaction ids go on from that second; so do the readers' places.
That holds while the old one is stopped: two that go on give the same ids to different trades.
"""

import shutil
import tempfile
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command

from eqtrade.up.accounts import server_account
from eqtrade.up.postgres import PostgresServer
from eqtrade.verify import verify
from positions.models import Position
from tests.conftest import be
from tests.copies import copy_of
from tests.stack.eventually import eventually
from tests.trades.conftest import make_desk
from tests.trades.test_rebuilding import read
from tests.trades.test_restore import book
from trades.models import LedgerEntry


@pytest.fixture
def home(committed_db: PostgresServer) -> Iterator[Path]:
    """Of two clusters; afterwards the connection is to the first one again."""
    home = Path(tempfile.mkdtemp(prefix="eqtrade-second-"))
    home.chmod(0o711)
    server_account().own_directory(home / "log")
    yield home
    be(committed_db.url("runtime"))
    shutil.rmtree(home, ignore_errors=True)


def ask(server: PostgresServer, statement: str) -> str:
    with psycopg.connect(server.url("superuser"), autocommit=True) as admin:
        row = admin.execute(statement.encode()).fetchone()
    assert row is not None
    return str(row[0])


def test_a_cluster_restored_to_a_second_goes_on_in_its_epoch(
    committed_db: PostgresServer, home: Path
) -> None:
    keeping = {"archive_mode": "on", "archive_command": f"cp %p {home}/log/%f"}
    old = copy_of(committed_db, home / "old", settings=keeping)
    old.start()
    try:
        be(old.url("runtime"))
        desk = make_desk()
        book(desk, 30)
        read()
        restoring = {
            "archive_mode": "off",
            "restore_command": f"cp {home}/log/%f %p",
            "recovery_target_action": "promote",
        }
        restored = copy_of(old, home / "restored", settings=restoring)
        book(desk, 5)
        at = ask(old, "SELECT clock_timestamp()")
        book(desk, 7)
        read()
        assert Position.objects.get().quantity == 42
        identity = ask(old, "SELECT system_identifier FROM pg_control_system()")
        last = ask(old, "SELECT pg_walfile_name(pg_switch_wal())")
        eventually(lambda: _exists(home / "log" / last))
    finally:
        # It goes first.
        old.stop()

    with (restored.data_dir / "postgresql.auto.conf").open("a") as file:
        file.write(f"recovery_target_time = '{at}'\n")
    (restored.data_dir / "recovery.signal").touch()
    restored.start()
    try:
        eventually(lambda: _has_recovered(restored))
        be(restored.url("runtime"))
        assert LedgerEntry.objects.count() == 35, "what was booked up to then, and no more"
        assert ask(restored, "SELECT system_identifier FROM pg_control_system()") == identity
        out = StringIO()
        call_command("restored", stdout=out)
        assert out.getvalue() == ("This cluster is that of the latest epoch; nothing to do.\n")

        # Ids of transactions are given again; the readers miss nothing, and take nothing twice.
        book(desk, 100)
        read()
        assert set(LedgerEntry.objects.values_list("epoch", flat=True)) == {1}
        assert Position.objects.get().quantity == 135
        assert verify() == []
    finally:
        restored.stop()


def _exists(path: Path) -> None:
    assert path.exists()


def _has_recovered(server: PostgresServer) -> None:
    assert ask(server, "SELECT pg_is_in_recovery()") == "False"
