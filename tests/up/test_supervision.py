"""The supervisor with small programs: environment, restart, giving up and going on, stopping."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eqtrade.up import supervision
from eqtrade.up.layout import Layout
from eqtrade.up.leftovers import start_stamp
from eqtrade.up.programs import Program, makes_way
from eqtrade.up.supervision import ProgramState, Supervisor
from eqtrade.up.watch import Watch

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


def state(name: str, pid: int, statename: str = "RUNNING") -> ProgramState:
    return ProgramState(name=name, state=statename, pid=pid, exit_status=0, problem="")


@pytest.fixture
def layout(place: Path) -> Iterator[Layout]:
    layout = Layout(place / "50% da ta")
    layout.create()
    yield layout
    shutil.rmtree(layout.sockets)


@pytest.fixture
def supervise(layout: Layout) -> Iterator[Callable[..., Supervisor]]:
    started: list[Supervisor] = []

    def start(*programs: Program) -> Supervisor:
        supervisor = Supervisor(layout, programs)
        started.append(supervisor)
        supervisor.start(os.environ | {"FROM_ABOVE": "100% of it"})
        return supervisor

    yield start
    for supervisor in started:
        supervisor.stop_all()


def until(look: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def one(supervisor: Supervisor, name: str) -> ProgramState:
    return next(program for program in supervisor.states() if program.name == name)


def test_programs_start_only_when_told_and_with_their_environment(
    supervise: Callable[..., Supervisor], layout: Layout
) -> None:
    code = "import os; print(os.environ['FROM_ABOVE'], os.environ['OWN'], flush=True)"
    command = [sys.executable, "-c", f"{code}; import time; time.sleep(60)"]
    supervisor = supervise(Program("speaker", command, environment={"OWN": "5% more"}))
    assert one(supervisor, "speaker").state == "STOPPED"

    supervisor.start_program("speaker")
    log = layout.logs / "speaker.log"
    until(lambda: log.exists() and log.read_text() == "100% of it 5% more\n")
    supervisor.start_program("speaker")  # a second time does no harm


def test_a_killed_program_is_restarted_and_said_so(
    supervise: Callable[..., Supervisor],
) -> None:
    supervisor = supervise(Program("sleeper", SLEEPER, start_seconds=0))
    watch = Watch()
    supervisor.start_program("sleeper")
    until(lambda: one(supervisor, "sleeper").state == "RUNNING")
    assert watch.news(supervisor.states()) == []

    before = one(supervisor, "sleeper").pid
    os.kill(before, signal.SIGKILL)
    said: list[str] = []

    def looks_restarted() -> bool:
        said.extend(watch.news(supervisor.states()))
        return any("runs again" in line for line in said)

    until(looks_restarted)
    assert said[0] == f"sleeper died (pid {before}); restarting it"


def test_a_program_that_was_given_up_gets_another_round(
    supervise: Callable[..., Supervisor], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "START_RETRIES", 1)
    may_run = place / "may-run"
    code = f"import os, time; os.path.exists({str(may_run)!r}) or os._exit(3); time.sleep(60)"
    supervisor = supervise(Program("late", [sys.executable, "-c", code], start_seconds=1))
    supervisor.start_program("late")
    until(lambda: one(supervisor, "late").state == "FATAL", seconds=40)

    may_run.touch()
    supervisor.restart_given_up(supervisor.states())
    until(lambda: one(supervisor, "late").state == "RUNNING")


def test_a_restarted_program_ends_what_its_killed_predecessor_started(
    supervise: Callable[..., Supervisor], layout: Layout, place: Path
) -> None:
    script = place / "parent.py"
    script.write_text(
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    socket = layout.socket("parent")
    command = makes_way([sys.executable, str(script)], socket)
    supervisor = supervise(
        Program("parent", command, start_seconds=0), Program("other", SLEEPER, start_seconds=0)
    )
    supervisor.start_program("other")
    supervisor.start_program("parent")
    log = layout.logs / "parent.log"
    until(lambda: log.exists() and log.read_text().count("\n") == 1)
    child = int(log.read_text())
    socket.touch()

    os.kill(one(supervisor, "parent").pid, signal.SIGKILL)
    until(lambda: log.read_text().count("\n") == 2)
    assert start_stamp(child) is None
    assert not socket.exists()
    assert start_stamp(int(log.read_text().splitlines()[1])) is not None
    assert one(supervisor, "other").state == "RUNNING"


def test_stopping_ends_even_who_will_not_and_whom_it_started(
    supervise: Callable[..., Supervisor], layout: Layout, place: Path
) -> None:
    script = place / "stubborn.py"
    script.write_text(
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, str(script)]
    supervisor = supervise(Program("stubborn", command, start_seconds=0, stop_seconds=1))
    supervisor.start_program("stubborn")
    log = layout.logs / "stubborn.log"
    until(lambda: log.exists() and log.read_text().endswith("\n"))
    pid, child = one(supervisor, "stubborn").pid, int(log.read_text())

    supervisor.stop_all()
    assert not supervisor.lives()
    assert start_stamp(pid) is None
    until(lambda: start_stamp(child) is None, seconds=5)


def test_watch_says_once_what_lasts() -> None:
    watch = Watch()
    assert watch.news([state("api", 10)]) == []
    assert watch.news([state("api", 0, "BACKOFF")]) == ["api died (pid 10); restarting it"]
    assert watch.news([state("api", 11, "STARTING")]) == []
    assert watch.news([state("api", 0, "FATAL")]) == [
        "api does not come up; trying on, see its log"
    ]
    assert watch.news([state("api", 0, "FATAL")]) == []
    assert watch.news([state("api", 12)]) == ["api runs again (pid 12)"]
    assert watch.news([state("api", 12)]) == []
