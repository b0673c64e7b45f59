"""The past is read on a real standby that follows; when it can't be, on the primary."""

import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from django.db import connection, transaction

from accounts.models import Account
from eqtrade.up.postgres import PostgresServer
from kernel import clock
from kernel.postgres.standby import HEADER, _away, past
from prices.sessions import sessions
from tests import factories as make
from tests.copies import copy_of
from tests.silent import Silent
from tests.stack.eventually import eventually
from tests.stack.signalling import signal_all

WITHOUT_END = 60.0


def without_end(settings: Any) -> None:
    """Have libpq wait for longer than anybody here."""
    there = settings.DATABASE_READ
    options = {**there["OPTIONS"], "connect_timeout": int(2 * WITHOUT_END)}
    settings.DATABASE_READ = {**there, "OPTIONS": options}


class Standby:
    """A copy of the cluster, made by its own means, which follows it over the unix socket."""

    def __init__(self, primary: PostgresServer, home: Path) -> None:
        self.primary = primary
        self.server = copy_of(primary, home, "--write-recovery-conf")
        self.server.start()

    def url(self) -> str:
        return self.server.url("runtime")

    def do(self, statement: str) -> None:
        with psycopg.connect(self.server.url("superuser"), autocommit=True) as admin:
            admin.execute(statement.encode())

    @contextmanager
    def frozen(self) -> Iterator[None]:
        assert self.server._process is not None
        server = psutil.Process(self.server._process.pid)
        processes = [server, *server.children(recursive=True)]
        signal_all(processes, signal.SIGSTOP)
        try:
            yield
        finally:
            signal_all(processes, signal.SIGCONT)

    def follow(self) -> None:
        """Wait until it has applied what is committed now."""
        self._wait("pg_last_wal_replay_lsn()")

    def receive(self) -> None:
        """Wait until it has what is committed now, applied or not."""
        self._wait("pg_last_wal_receive_lsn()")

    def _wait(self, place: str) -> None:
        with psycopg.connect(self.primary.url("superuser"), autocommit=True) as admin:
            # The log is written a moment after a commit that is not durable.
            admin.execute("SET synchronous_commit = on")
            admin.execute("SELECT pg_logical_emit_message(true, 'tests', '')")
            row = admin.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone()
        assert row is not None
        with psycopg.connect(self.server.url("superuser"), autocommit=True) as here:

            def look() -> None:
                found = here.execute(f"SELECT {place} >= %s::pg_lsn".encode(), [row[0]]).fetchone()
                assert found == (True,)

            eventually(look)


@pytest.fixture(scope="module")
def copied(cluster: PostgresServer, django_db_setup: None) -> Iterator[Standby]:
    home = Path(tempfile.mkdtemp(prefix="eqtrade-standby-"))
    standby = Standby(cluster, home)
    try:
        yield standby
    finally:
        standby.server.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def standby(committed_db: PostgresServer, copied: Standby, settings: Any) -> Iterator[Standby]:
    from environ import Env

    settings.DATABASE_READ = {
        **Env.db_url_config(copied.url()),
        "ENGINE": "kernel.postgres",
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
    }
    settings.READ_LAG_SECONDS = 60.0
    _away.until = 0.0
    yield copied
    copied.do("SELECT pg_wal_replay_resume()")
    _away.until = 0.0


def _where() -> bool:
    """Whether this is read on a standby."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery()")
        return bool(cursor.fetchone()[0])


def test_it_is_read_there_and_said_from_when_it_is(standby: Standby) -> None:
    make.make_account("Test1")
    standby.follow()
    before = clock.now()
    read = past(lambda: (_where(), Account.objects.filter(code="Test1").exists()))
    assert read.value == (True, True)
    assert read.as_of is not None
    assert before - timedelta(seconds=60) < read.as_of <= clock.now()
    assert not _where(), "afterwards the thread's own connection is back"


def test_one_that_lags_is_left_out(standby: Standby, settings: Any) -> None:
    make.make_account("Test1")
    standby.follow()
    settings.READ_LAG_SECONDS = 0.0
    standby.do("SELECT pg_wal_replay_pause()")
    make.make_account("Test2")
    standby.receive()
    read = past(_where)
    assert (read.value, read.as_of) == (False, None)


def test_one_that_had_nothing_to_apply_does_not_lag(standby: Standby, settings: Any) -> None:
    make.make_account("Test1")
    standby.follow()
    settings.READ_LAG_SECONDS = 0.0
    assert past(_where).value is True


def test_one_that_is_away_is_left_out(standby: Standby, settings: Any) -> None:
    settings.DATABASE_READ = {**settings.DATABASE_READ, "HOST": "/nonexistent"}
    assert past(_where).value is False


def test_one_that_is_frozen_is_left_out(standby: Standby) -> None:
    """It keeps its connection, and answers nothing."""
    make.make_account("Test1")
    standby.follow()
    assert past(_where).value is True
    with standby.frozen():
        assert past(_where).value is False
        assert past(_where).value is False, "and it is not waited for again"
    _away.until = 0.0
    assert past(_where).value is True


def elsewhere(work: Callable[[], Any]) -> Any:
    """What it returns in a thread of its own, which has no connection yet."""

    def run() -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as executor:
        return executor.submit(run).result(timeout=WITHOUT_END)


def test_one_that_was_frozen_before_is_left_out(standby: Standby, settings: Any) -> None:
    """It takes the connection, and says nothing."""
    without_end(settings)
    make.make_account("Test1")
    standby.follow()
    with standby.frozen():
        assert elsewhere(lambda: past(_where)).value is False


def test_one_that_freezes_at_its_work_is_left_out(
    standby: Standby, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_end(settings)
    monkeypatch.setattr("kernel.postgres.standby.WORK_SECONDS", 2.0 * WITHOUT_END)
    make.make_account("Test1")
    standby.follow()
    with ExitStack() as after:
        where: list[bool] = []

        def work() -> bool:
            where.append(_where())
            if where == [True]:
                after.enter_context(standby.frozen())
            return _where()

        assert elsewhere(lambda: past(work)).value is False
        assert where == [True, False]


def test_one_that_works_for_long_is_not_left_out(
    standby: Standby, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kernel.postgres.standby.LOOK_SECONDS", 0.05)
    make.make_account("Test1")
    standby.follow()

    def work() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(1)")
        return _where()

    assert past(work).value is True


def test_one_thread_finds_out_whether_it_is_back(standby: Standby, settings: Any) -> None:
    make.make_account("Test1")
    standby.follow()
    with tempfile.TemporaryDirectory() as home, Silent(Path(home)) as frozen:
        there = settings.DATABASE_READ
        settings.DATABASE_READ = {**there, "OPTIONS": {**there["OPTIONS"], "host": home}}
        _away.until = time.monotonic()
        together = threading.Barrier(8)

        def read(_: int) -> bool | None:
            together.wait()
            try:
                return past(_where).value
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as executor:
            assert list(executor.map(read, range(8))) == [False] * 8
        assert frozen.callers() == 1
        settings.DATABASE_READ = there
        _away.until = time.monotonic()
        assert past(_where).value is True
    assert not _away.until, "it is asked by everybody again"


def test_the_primary_is_no_standby(standby: Standby, settings: Any) -> None:
    settings.DATABASE_READ = {**settings.DATABASE_READ, "HOST": connection.settings_dict["HOST"],
                              "OPTIONS": connection.settings_dict["OPTIONS"]}  # fmt: skip
    read = past(_where)
    assert (read.value, read.as_of) == (False, None)


def test_what_writes_is_done_on_the_primary(standby: Standby) -> None:
    """A standby refuses it."""
    make.make_account("Test0")
    standby.follow()

    def write() -> bool:
        make.make_account("Test1")
        return _where()

    assert past(write).value is False
    assert Account.objects.filter(code="Test1").count() == 1


def test_inside_a_transaction_its_own_connection_is_asked(standby: Standby) -> None:
    make.make_account("Test1")
    standby.follow()
    with transaction.atomic():
        assert past(_where).value is False


@pytest.mark.parametrize(
    "path", ["positions/?as_of={past}", "pnl/?from={past}&to={past}", "positions/snapshots/"]
)
def test_the_past_by_rest(standby: Standby, path: str) -> None:
    """No lock, no temporary table and no transaction id: else the primary would have answered."""
    trader, account = make.make_user("trader"), make.make_account("Test1")
    make.entitle(trader, account)
    make.make_instrument("IBM")
    standby.follow()
    known = sessions()
    day = known.previous_session(known.business_date(clock.now()))
    answer = make.client_of(trader).get(f"/api/v1/{path.format(past=day)}")
    assert answer.status_code == 200, answer.content
    if not path.startswith("positions/snapshots"):
        assert HEADER in answer


@pytest.mark.parametrize("path", ["positions/", "pnl/", "trades/"])
def test_live_figures_are_the_primarys(standby: Standby, path: str) -> None:
    trader = make.make_user("trader")
    make.entitle(trader, make.make_account("Test1"))
    standby.follow()
    answer = make.client_of(trader).get(f"/api/v1/{path}")
    assert answer.status_code == 200
    assert HEADER not in answer
