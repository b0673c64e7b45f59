"""Whoever watches from outside is called while all is well, told what is not, and waited for by
nobody."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django_celery_beat.models import PeriodicTask

from eqtrade import heartbeats
from eqtrade.heartbeats import JOBS, heartbeats_send
from eqtrade.tasks import heartbeats as task
from eqtrade.up.options import PROJECT
from eqtrade.up.postgres import PostgresServer
from tests import factories as make
from tests.pnl.conftest import MONDAY, TUESDAY, Days, at, settle
from trades.models import Verification


class Watcher:
    """A server on loopback that keeps what it was called with; `/silent` is never answered."""

    def __init__(self) -> None:
        self.called: dict[str, str] = {}
        self._ends = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Watcher":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        watcher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                said = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                watcher.called[self.path] = said
                if self.path.startswith("/silent"):
                    watcher._ends.wait(60)
                self.send_response(500 if self.path == "/ill" else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_GET  # noqa: N815 - as its server calls it

            def log_request(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def watcher(settings: Any) -> Iterator[Watcher]:
    with Watcher() as found:
        settings.HEARTBEATS = {job: f"{found.url}/{job}" for job in JOBS}
        yield found


def verified(days_ago: float, breaks: int = 0) -> None:
    done = at(TUESDAY) - timedelta(days=days_ago)
    Verification.objects.create(started_at=done, finished_at=done, breaks=breaks)


def test_each_is_called_while_its_job_is_done(
    watcher: Watcher, committed_db: PostgresServer
) -> None:
    days = Days()
    days.trade("5", "10", TUESDAY)
    sent = heartbeats_send(now=at(TUESDAY))
    # Nothing was verified yet, and it is not late: nothing can be said.
    assert "verify" not in sent
    verified(0.1)
    heartbeats_send(now=at(TUESDAY))
    assert watcher.called["/verify"] == ""


def test_what_is_late_or_wrong_is_said(watcher: Watcher, committed_db: PostgresServer) -> None:
    days = Days()
    days.trade("5", "10", MONDAY)
    verified(0.1, breaks=2)
    heartbeats_send(now=at(TUESDAY))
    assert watcher.called["/verify/fail"] == "2 numbers are wrong."
    assert watcher.called["/snapshot/fail"] == f"No snapshot of {MONDAY}: it is late."
    assert watcher.called["/closes/fail"].startswith("No closes of 20")
    verified(1.5)
    heartbeats_send(now=at(TUESDAY))
    assert watcher.called["/verify/fail"] == "Nothing was verified for a day."


def test_closes_that_settle_are_not_late_any_more(
    watcher: Watcher, committed_db: PostgresServer
) -> None:
    make.make_instrument("IBM")
    from prices.health import closes_health

    for each in closes_health(at(TUESDAY)):
        settle(each.session)
    assert heartbeats_send(now=at(TUESDAY))["closes"]
    assert watcher.called["/closes"] == ""


def test_a_watcher_that_is_away_or_silent_fails_nothing_and_stays_unnamed(
    watcher: Watcher,
    committed_db: PostgresServer,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(heartbeats, "TIMEOUT_SECONDS", 0.3)
    verified(-10_000)
    secret = "/a-secret-part-of-it"
    settings.HEARTBEATS = {
        "closes": f"{watcher.url}/silent{secret}",
        "snapshot": f"http://127.0.0.1:9{secret}",
        "verify": f"{watcher.url}/ill",
    }
    assert task() == {"closes": False, "snapshot": False, "verify": False}
    settings.HEARTBEATS = {"snapshot": f"nonsense{secret}"}
    assert task() == {"snapshot": False}
    assert "the heartbeat of closes did not arrive" in caplog.text
    assert secret not in caplog.text
    settings.HEARTBEATS = {}
    assert task() == {}


def test_it_is_sent_by_a_worker_that_has_a_way_out(db: None, settings: Any) -> None:
    found = PeriodicTask.objects.get(name="Heartbeats")
    assert (found.task, found.queue, found.enabled) == (task.name, "prices", True)
    assert settings.HEARTBEATS.keys() == JOBS.keys()


@pytest.fixture(params=["curl", "wget", "python3"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A PATH of a machine that has this alone to call with."""
    for name in ("sh", "dirname", "tr", "printenv", "sed", "tail", request.param):
        found = sys.executable if name == "python3" else shutil.which(name)
        if found is None:
            pytest.skip(f"{name} is not here")
        (tmp_path / name).symlink_to(found)
    return str(tmp_path)


@pytest.mark.parametrize(
    ("command", "code", "called"),
    [("exit 0", 0, "/backup"), ("exit 3", 3, "/backup/fail"), ("echo done; exit 0", 0, "/ill")],
)
def test_a_command_ends_as_it_did_whatever_becomes_of_the_call(
    watcher: Watcher, path: str, command: str, code: int, called: str
) -> None:
    address = "ill" if called == "/ill" else "backup"
    done = subprocess.run(
        [PROJECT / "deploy" / "heartbeat.sh", "backup", "sh", "-c", command],
        env={"PATH": path, "HEARTBEAT_BACKUP_URL": f"{watcher.url}/{address}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code
    assert watcher.called == {called: ""}
    assert watcher.url not in done.stdout + done.stderr
    assert ("did not answer" in done.stderr) is (called == "/ill")
