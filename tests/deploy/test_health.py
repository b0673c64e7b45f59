"""A part's health is whether it does its job: what a real worker writes down, and what is made of
it. The checks run as they do in a container, in an interpreter of their own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis

from eqtrade.up.options import PROJECT
from eqtrade.up.valkey import ValkeyServer
from tests.stack.eventually import eventually

WELL: dict[str, Any] = {
    "queues": ["pnl"],
    "consuming": ["pnl"],
    "waiting": 0,
    "active": 0,
    "processes": 2,
    "idle_seconds": 0,
}


def health(part: str, heartbeat: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-I", str(PROJECT / "deploy" / "health.py"), part],
        env={"HEARTBEAT_FILE": str(heartbeat)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def said(tmp_path: Path, part: str = "worker", age: float = 0, **changed: Any) -> str:
    """What is made of this heartbeat; nothing when all is well."""
    file = tmp_path / "heartbeat.json"
    file.write_text(json.dumps({"at": time.time() - age, **WELL, **changed}))
    code, text = health(part, file)
    assert (code == 0) == (not text)
    return text


def test_a_worker_that_works_is_well(tmp_path: Path) -> None:
    assert said(tmp_path) == ""
    assert said(tmp_path, waiting=900, idle_seconds=5) == ""


def test_a_worker_whose_loop_does_not_turn_is_ill(tmp_path: Path) -> None:
    assert "its loop did not turn" in said(tmp_path, age=45)


def test_messages_that_wait_for_an_idle_worker_make_it_ill(tmp_path: Path) -> None:
    text = said(tmp_path, waiting=7, idle_seconds=70, active=1)
    assert "7 messages wait, and it finished nothing for 70 s" in text


def test_a_worker_at_long_work_is_given_longer(tmp_path: Path) -> None:
    assert said(tmp_path, waiting=7, idle_seconds=70, active=2) == ""
    assert "7 messages wait" in said(tmp_path, waiting=7, idle_seconds=901, active=2)


def test_an_idle_worker_with_nothing_to_do_is_well(tmp_path: Path) -> None:
    assert said(tmp_path, idle_seconds=5000) == ""


def test_beat_is_ill_when_it_sends_nothing(tmp_path: Path) -> None:
    assert said(tmp_path, "beat") == ""
    assert "sent no task for 60 s" in said(tmp_path, "beat", age=60)
    assert health("beat", tmp_path / "nothing") == (1, "Ill: sent no task since it started\n")


@pytest.mark.parametrize("part", ["api", "ws", "flower"])
def test_what_does_not_answer_is_ill(tmp_path: Path, part: str) -> None:
    """Nothing listens here on the ports that the parts have in their containers."""
    code, text = health(part, tmp_path)
    assert code == 1
    assert "refused" in text


# --- a real worker ------------------------------------------------------------------------------


@dataclass
class Worker:
    process: subprocess.Popen[bytes]
    heartbeat: Path
    environment: dict[str, str]
    valkey: ValkeyServer

    def control(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "celery", "-A", "eqtrade", *arguments],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def read(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.heartbeat.read_text())
        return found


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    """A worker of the pnl queue, with a broker and without a database."""
    heartbeat = tmp_path / "heartbeat.json"
    with ValkeyServer.temporary() as valkey:
        environment = {**os.environ, "REDIS_URL": valkey.url(), "HEARTBEAT_FILE": str(heartbeat)}
        command = ["-m", "celery", "-A", "eqtrade", "worker", "-Q", "pnl", "-n", "pnl@here", "-c1"]
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=PROJECT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            eventually(lambda: _exists(heartbeat))
            yield Worker(process, heartbeat, environment, valkey)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _exists(file: Path) -> None:
    assert file.exists()


def test_a_worker_that_answers_and_consumes_nothing_is_ill(worker: Worker) -> None:
    assert health("worker", worker.heartbeat) == (0, "")

    worker.control("control", "-d", "pnl@here", "cancel_consumer", "pnl")
    assert "pong" in worker.control("inspect", "-d", "pnl@here", "ping")

    def is_ill() -> None:
        assert health("worker", worker.heartbeat) == (1, "Ill: it does not consume from pnl\n")

    eventually(is_ill)

    # What comes now stays, and it counts it.
    with redis.Redis.from_url(worker.environment["REDIS_URL"]) as client:
        client.lpush("pnl", "a message")

    def counts() -> None:
        assert worker.read()["waiting"] == 1

    eventually(counts)


def test_a_worker_without_its_broker_is_ill_and_recovers(worker: Worker) -> None:
    worker.valkey.stop()
    time.sleep(2)
    before = worker.read()["at"]
    time.sleep(6)
    assert worker.process.poll() is None
    assert worker.read()["at"] == before

    worker.valkey.start()

    def writes_again() -> None:
        assert worker.read()["at"] > before
        assert health("worker", worker.heartbeat) == (0, "")

    eventually(writes_again)
