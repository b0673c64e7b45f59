"""Processes that a killed run left are ended; those that only look like it are not."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eqtrade.up.leftovers import (
    ProcessFile,
    Recorded,
    end_leftovers,
    read_processes,
    start_stamp,
)
from eqtrade.up.postgres import Passwords, PostgresServer

Spawn = Callable[..., subprocess.Popen[bytes]]

LEADER_WITH_CHILD = (
    "import subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'],"
    " process_group=0)\n"
    "print(child.pid, flush=True)\n"
    "time.sleep(60)\n"
)


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    started: list[subprocess.Popen[bytes]] = []

    def start(code: str = "import time; time.sleep(60)") -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def lives(pid: int) -> bool:
    return start_stamp(pid) is not None


def test_a_recorded_process_is_ended_and_named(spawn: Spawn) -> None:
    process = spawn()

    assert end_leftovers([Recorded.of("beat", process.pid)]) == ["beat"]
    assert process.wait(5) == -signal.SIGTERM


def test_a_process_that_ignores_sigterm_or_is_paused_is_ended_too(
    spawn: Spawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused = spawn()
    paused.send_signal(signal.SIGSTOP)

    assert end_leftovers([Recorded.of("worker", paused.pid)]) == ["worker"]
    assert paused.wait(5) == -signal.SIGTERM


def test_a_later_process_with_the_same_pid_is_left_alone(spawn: Spawn) -> None:
    process = spawn()
    earlier = Recorded("beat", process.pid, "an-earlier-boot:1")

    assert end_leftovers([earlier]) == []
    assert process.poll() is None


def test_nothing_is_ended_without_a_record(spawn: Spawn) -> None:
    process = spawn()

    assert end_leftovers([]) == []
    assert process.poll() is None


def test_children_of_a_dead_supervisor_are_found_by_their_session(spawn: Spawn) -> None:
    """Its children are in process groups of their own, and nobody's children any more."""
    leader = spawn(LEADER_WITH_CHILD)
    assert leader.stdout
    child = int(leader.stdout.readline())
    record = Recorded.of("supervisord", leader.pid)
    leader.kill()
    leader.wait()
    assert lives(child)

    assert len(end_leftovers([record])) == 1
    assert not lives(child)


def test_a_session_of_a_later_leader_is_left_alone(spawn: Spawn) -> None:
    leader = spawn(LEADER_WITH_CHILD)
    assert leader.stdout
    child = int(leader.stdout.readline())

    assert end_leftovers([Recorded("supervisord", leader.pid, "an-earlier-boot:1")]) == []
    assert lives(child)
    os.kill(child, signal.SIGKILL)


def test_postgres_is_found_by_its_own_file_and_stopped_properly(place: Path) -> None:
    server = PostgresServer(place / "data", place / "s", Passwords("s", "o", "r"), durable=False)
    server.init()
    server.start()
    try:
        assert end_leftovers([], server.data_dir) == ["postgres"]
        assert "database system is shut down" in server.log_file.read_text()
    finally:
        server.stop()


def test_a_stale_postmaster_file_ends_nobody(place: Path, spawn: Spawn) -> None:
    process = spawn()
    started = int(time.time()) - 3600
    (place / "postmaster.pid").write_text(f"{process.pid}\n{place}\n{started}\n")

    assert end_leftovers([], place) == []
    assert process.poll() is None


def test_the_file_of_processes(tmp_path: Path, spawn: Spawn) -> None:
    path = tmp_path / "processes.json"
    processes = ProcessFile(path)
    first, second = spawn(), spawn()
    processes.record("api", first.pid)
    processes.record("ws", second.pid)
    processes.record("api", second.pid)
    processes.forget("ws")

    assert read_processes(path) == [Recorded.of("api", second.pid)]
    assert path.stat().st_mode & 0o777 == 0o600
    processes.clear()
    assert read_processes(path) == []


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"pid": 1}]'])
def test_a_broken_file_of_processes_stops_no_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "processes.json").write_text(text)

    assert read_processes(tmp_path / "processes.json") == []
