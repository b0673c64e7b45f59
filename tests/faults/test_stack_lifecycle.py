"""The whole local stack as `make run` starts it: found, repaired, killed, started again, stopped.

One stack for all tests of this file, started by the first. Each test leaves it running.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import requests

from eqtrade.up.accounts import server_account
from eqtrade.up.layout import Layout
from eqtrade.up.leftovers import read_processes, start_stamp
from eqtrade.up.options import PROJECT
from tests.stack.running import PASSWORD, RunningStack
from tests.stack.signalling import signal_all

pytestmark = pytest.mark.timeout(400)

# What the tests' own settings set must not reach a stack.
KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "XDG_RUNTIME_DIR")


class Running:
    """A stack as a child of the test."""

    def __init__(self, data_dir: Path, port: int) -> None:
        self.layout = Layout(data_dir.resolve())
        self.port = port
        self.output = data_dir.with_name("output.txt")
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
        return kept | {
            "DATA_DIR": str(self.layout.data_dir),
            "PORT": str(self.port),
            "SEED": "empty",
            "DEMO_PASSWORD": PASSWORD,
        }

    def start(self) -> None:
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "eqtrade.up"],
                cwd=PROJECT,
                env=self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        until(lambda: f"eqtrade is ready at {self.url}\n" in self.said(), self, seconds=150)

    def said(self) -> str:
        return self.output.read_text()

    def pid_of(self, name: str) -> int:
        return next(
            record.pid for record in read_processes(self.layout.processes) if record.name == name
        )

    def pids(self) -> set[int]:
        """Every process of the stack."""
        assert self.process
        found = {self.process.pid}
        for record in read_processes(self.layout.processes):
            found.add(record.pid)
            if record.lives():
                children = psutil.Process(record.pid).children(recursive=True)
                found |= {child.pid for child in children}
        return found

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(90)


def until(look: Callable[[], bool], running: Running, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        ended = running.process is not None and running.process.poll() is not None
        assert not ended, running.said()
        assert time.monotonic() < deadline, running.said()
        time.sleep(0.1)


def answers(url: str) -> bool:
    """Whether something better than an error of the server comes back."""
    try:
        return requests.get(url, timeout=10, allow_redirects=False).status_code < 500
    except requests.RequestException:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens_on(pid: int) -> set[tuple[str, int]]:
    """Where a process listens on TCP; asked as its user, since a container's root may not see the
    sockets of other users' processes."""
    process = psutil.Process(pid)
    uid, gid = process.uids().real, process.gids().real
    ours = os.geteuid(), os.getegid()
    if ours[0] == 0:
        os.setegid(gid)
        os.seteuid(uid)
    try:
        found = process.net_connections("inet")
    finally:
        if ours[0] == 0:
            os.seteuid(ours[0])
            os.setegid(ours[1])
    return {(one.laddr.ip, one.laddr.port) for one in found if one.status == psutil.CONN_LISTEN}


def lives(pid: int) -> bool:
    return start_stamp(pid) is not None


@pytest.fixture(scope="module")
def running(spare_place: Path) -> Iterator[Running]:
    """A stack of its own, to be killed and stopped at will, beside the one that is shared."""
    running = Running(spare_place, free_port())
    running.start()
    yield running
    running.stop()


def test_only_nginx_listens_on_tcp(running: Running) -> None:
    listening = set().union(*map(listens_on, running.pids()))

    assert listening == {("127.0.0.1", running.port)}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has processes of another user")
def test_a_listener_of_another_user_is_seen() -> None:
    """Else the test above would pass whatever PostgreSQL, which root runs as another, opens."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        subprocess.Popen(
            ["/bin/sh", "-c", "read line"],
            cwd="/",
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            **server_account().identity(),
        ) as other,
    ):
        seen = listens_on(other.pid)
        other.communicate(b"\n")

        assert seen == {listener.getsockname()}


def test_the_parts_answer_through_nginx(running: Running) -> None:
    assert requests.get(f"{running.url}readyz", timeout=10).status_code == 200
    assert requests.get(f"{running.url}login/", timeout=10).status_code == 200
    assert requests.get(f"{running.url}internal/staff/", timeout=10).status_code == 404
    flower = requests.get(f"{running.url}flower/", timeout=10, allow_redirects=False)
    assert flower.status_code == 302
    assert flower.headers["Location"] == f"{running.url}login/?next=/flower/"


def test_staff_see_flower_and_traders_do_not(running: Running) -> None:
    for user, status in (("ops", 200), ("trader", 403)):
        with requests.Session() as session:
            page = session.get(f"{running.url}login/", timeout=10).text
            found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
            assert found
            session.post(
                f"{running.url}login/",
                {"username": user, "password": PASSWORD, "csrfmiddlewaretoken": found[1]},
                headers={"Referer": f"{running.url}login/"},
                timeout=10,
                allow_redirects=False,
            )
            assert session.get(f"{running.url}flower/", timeout=10).status_code == status, user


def test_static_files_are_cached_for_ever_where_their_name_is_a_hash(running: Running) -> None:
    # What is a few hundred bytes is sent as it is.
    scripts = (running.layout.static / "app" / "assets").glob("*.js")
    asset = max(scripts, key=lambda script: script.stat().st_size)
    answer = requests.get(f"{running.url}static/app/assets/{asset.name}", timeout=10)

    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_body_that_is_too_large_is_refused_in_the_form_of_the_api(running: Running) -> None:
    answer = requests.post(f"{running.url}api/v1/trades/", data=b"x" * 10_500_000, timeout=30)

    assert answer.status_code == 413
    assert answer.headers["Content-Type"].startswith("application/json")
    error = answer.json()["errors"][0]
    assert (answer.json()["type"], error["code"]) == ("client_error", "payload_too_large")


def test_manage_py_finds_the_stack_and_is_the_runtime_role(running: Running) -> None:
    code = (
        "from django.db import connection as c; k = c.cursor();"
        "k.execute('SELECT current_user'); print('role', k.fetchone()[0])"
    )
    done = running.manage("shell", "-c", code)

    assert "role eqtrade\n" in done.stdout, done.stderr


def test_a_second_stack_of_the_same_data_is_refused(running: Running) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "eqtrade.up"],
        cwd=PROJECT,
        env=running.environment | {"PORT": str(free_port())},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert f"already runs with DATA_DIR={running.layout.data_dir} at {running.url}" in done.stdout


def test_a_port_in_use_is_said_and_nothing_is_left(running: Running, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "eqtrade.up"],
        cwd=PROJECT,
        env=running.environment | {"DATA_DIR": str(tmp_path / "other")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert f"port {running.port} of 127.0.0.1 can't be used" in done.stdout
    assert read_processes(tmp_path / "other" / "run" / "processes.json") == []
    assert requests.get(f"{running.url}readyz", timeout=10).status_code == 200


@pytest.mark.parametrize("name", ["ws", "api", "flower", "nginx"])
def test_a_killed_part_comes_back_and_it_is_said(running: Running, name: str) -> None:
    """api and the others meet the socket that their killed predecessor left."""
    os.kill(running.pid_of(name), signal.SIGKILL)

    until(lambda: f"{name} died" in running.said(), running)
    until(lambda: f"{name} runs again" in running.said(), running)
    path = {"ws": "ws/", "flower": "flower/"}.get(name, "readyz")
    until(lambda: answers(f"{running.url}{path}"), running)


def test_without_api_the_answer_has_the_form_of_the_api(running: Running) -> None:
    """Nothing answers: its socket is out of the way, and no connection to it is left open."""
    socket_path = running.layout.socket("api")
    away = socket_path.with_suffix(".away")
    socket_path.rename(away)
    signal_all(psutil.Process(running.pid_of("api")).children(), signal.SIGKILL)
    try:
        answer = requests.get(f"{running.url}api/v1/accounts/", timeout=10)
    finally:
        away.rename(socket_path)

    assert answer.status_code == 502
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["Retry-After"] == "2"
    error = answer.json()["errors"][0]
    assert (answer.json()["type"], error["code"]) == ("server_error", "bad_gateway")
    until(lambda: answers(f"{running.url}readyz"), running)


def test_another_stack_runs_beside_it(running: Running, stack: RunningStack) -> None:
    """The one that the other tests share."""
    assert requests.get(f"{stack.url}/readyz", timeout=10).status_code == 200
    assert requests.get(f"{running.url}readyz", timeout=10).status_code == 200
    assert running.layout.sockets != stack.layout.sockets


@pytest.mark.parametrize("victims", [("up",), ("up", "supervisord")])
def test_a_start_after_kill_9_ends_what_was_left_and_keeps_the_data(
    running: Running, victims: tuple[str, ...]
) -> None:
    assert running.manage("shell", "-c", MAKE_ACCOUNT.format(code=victims[-1])).returncode == 0
    pids = running.pids()
    assert running.process
    if "supervisord" in victims:
        os.kill(running.pid_of("supervisord"), signal.SIGKILL)
    running.process.kill()
    running.process.wait()

    running.start()
    assert "ended what the previous run left behind" in running.said()
    assert not [pid for pid in pids if lives(pid)]
    counted = running.manage("shell", "-c", COUNT_ACCOUNT.format(code=victims[-1]))
    assert "accounts: 1\n" in counted.stdout, counted.stderr


def test_stopping_leaves_no_process_and_it_starts_again(running: Running) -> None:
    pids = running.pids()

    assert running.stop(signal.SIGINT) == 0, running.said()
    assert not [pid for pid in pids if lives(pid)]
    assert not running.layout.environment.exists()
    assert not running.layout.sockets.exists()
    assert "No eqtrade stack is running" in running.manage("migrate").stderr

    running.start()


MAKE_ACCOUNT = (
    "from accounts.models import Account; Account.objects.create(code='{code}', name='{code}')"
)
COUNT_ACCOUNT = (
    "from accounts.models import Account;"
    "print('accounts:', Account.objects.filter(code='{code}').count())"
)
