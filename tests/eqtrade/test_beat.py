"""Several beats run and one sends: real processes, killed, stopped, and cut off from their servers.

The messages lie in a broker that nobody takes from, each with the name of its schedule and the
beat that sent it.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, PeriodicTasks

from eqtrade.up.options import PROJECT
from eqtrade.up.postgres import PostgresServer
from eqtrade.up.valkey import ValkeyServer
from tests.stack.eventually import eventually

QUEUE = "nobody"
EACH_SECOND = "Each second"
NIGHTLY = "Nightly, missed"
REFUSED = """
    SELECT count(*) FROM pg_stat_activity
     WHERE query LIKE 'SELECT pg_try_advisory_lock%' AND pid <> pg_backend_pid()
       AND pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)
"""
BEAT = "a beat of the tests"
SESSIONS = "SELECT pid FROM pg_stat_activity WHERE application_name = %s"
ROWS = "SELECT name, last_run_at, total_run_count FROM django_celery_beat_periodictask"


class Beats:
    """Beats of one database and one broker, and what they have sent."""

    def __init__(self, database: PostgresServer, broker: ValkeyServer, place: Path) -> None:
        self.database, self.broker, self._place = database, broker, place
        self._started = 0
        self.running: dict[int, subprocess.Popen[bytes]] = {}
        self.client = redis.Redis.from_url(broker.url())
        self.root = psycopg.connect(database.url("superuser", "eqtrade"), autocommit=True)

    def start(self) -> int:
        self._started += 1
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "eqtrade", "beat", "-l", "INFO", "--pidfile="],
            cwd=PROJECT,
            env={
                **os.environ,
                "DATABASE_URL": self.database.url("runtime"),
                "PGAPPNAME": BEAT,
                "REDIS_URL": self.broker.url(),
                "HEARTBEAT_FILE": str(self._place / f"heartbeat-{self._started}"),
            },
            stdout=(self._place / "out").open("ab"),
            stderr=subprocess.STDOUT,
        )
        self.running[process.pid] = process
        return process.pid

    def health(self, number: int) -> tuple[int, str]:
        """Of the beat that was started as this one, as its container would ask."""
        done = subprocess.run(
            [sys.executable, "-I", str(PROJECT / "deploy" / "health.py"), "beat"],
            env={"HEARTBEAT_FILE": str(self._place / f"heartbeat-{number}")},
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stdout

    def end(self, pid: int, by: signal.Signals) -> None:
        process = self.running.pop(pid)
        process.send_signal(by)
        process.wait(30)

    def sent(self, name: str) -> list[int]:
        """The process that sent each message of a schedule, the oldest first."""
        found: list[int] = []
        for message in reversed(self.client.lrange(QUEUE, 0, -1)):
            headers: dict[str, Any] = json.loads(message)["headers"]
            if headers["periodic_task_name"] == name:
                found.append(int(headers["origin"].split("@")[0].removeprefix("gen")))
        return found

    def written(self, name: str) -> int:
        """How often the schedule's row says that it was sent."""
        row = self.root.execute(ROWS + " WHERE name = %s", [name]).fetchone()
        assert row is not None
        count: int = row[2]
        return count

    def holder(self) -> int:
        """Wait until one sends, and say which."""
        return self.next_holder(0)

    def next_holder(self, seen: int) -> int:
        """Wait until there are more messages than were seen, and say who sent the last one."""

        def look() -> int:
            sent = self.sent(EACH_SECOND)
            assert len(sent) > seen, self.said()[-3000:]
            return sent[-1]

        return eventually(look)

    def said(self) -> str:
        return (self._place / "out").read_text()

    def complains(self, what: str) -> None:
        def look() -> None:
            assert what in self.said()

        eventually(look)

    @contextmanager
    def logged(self) -> Iterator[None]:
        """Each statement of a session that begins meanwhile is in the server's log."""
        role = "ALTER ROLE eqtrade IN DATABASE eqtrade"
        self.root.execute(f"{role} SET log_statement = 'all'".encode())
        try:
            yield
        finally:
            self.root.execute(f"{role} RESET log_statement".encode())

    def statements(self) -> int:
        """That the sessions of beats have asked while they were logged, and nobody else's."""
        pids = [str(pid) for (pid,) in self.root.execute(SESSIONS, [BEAT]).fetchall()]
        assert pids, "no beat has a session"
        asked = rf"\[({'|'.join(pids)})\] \S+ LOG:  (statement|execute [^:]+): "
        return len(re.findall(asked, self.database.log_file.read_text()))

    def stand_by(self, count: int) -> None:
        """Wait until so many have sessions of their own and were refused the lock."""

        def look() -> None:
            row = self.root.execute(REFUSED).fetchone()
            assert row == (count,), self.said()[-3000:]

        eventually(look)


@pytest.fixture
def beats(committed_db: PostgresServer, tmp_path: Path) -> Iterator[Beats]:
    """No beat yet; one schedule each second, and one whose hour came while none ran."""
    before = list(PeriodicTask.objects.filter(enabled=True).values_list("pk", flat=True))
    PeriodicTask.objects.filter(pk__in=before).update(enabled=False)
    second, _ = IntervalSchedule.objects.get_or_create(every=1, period="seconds")
    nightly, _ = CrontabSchedule.objects.get_or_create(
        minute="30", hour=str((timezone.now() - timedelta(hours=5)).hour), timezone="UTC"
    )
    seen = timezone.now() - timedelta(hours=12)
    made = [
        PeriodicTask.objects.create(
            name=EACH_SECOND, task="a.task", interval=second, queue=QUEUE, last_run_at=seen
        ),
        PeriodicTask.objects.create(
            name=NIGHTLY, task="a.task", crontab=nightly, queue=QUEUE, last_run_at=seen
        ),
    ]
    with ExitStack() as ends:
        broker = ends.enter_context(ValkeyServer.temporary())
        found = Beats(committed_db, broker, tmp_path)
        ends.callback(found.root.close)
        ends.callback(found.client.close)
        try:
            yield found
        finally:
            for pid in list(found.running):
                found.running[pid].send_signal(signal.SIGCONT)
                found.end(pid, signal.SIGKILL)
            PeriodicTask.objects.filter(pk__in=[each.pk for each in made]).delete()
            PeriodicTask.objects.filter(pk__in=before).update(enabled=True)


def test_one_sends_and_when_it_is_killed_another_one(beats: Beats) -> None:
    """One of a night neither twice nor missed, and each message written down."""
    beats.start()
    first = beats.holder()
    standbys = [beats.start() for _ in range(3)]
    beats.stand_by(3)
    holder = first
    for turn in range(3):
        # At several moments of the second between two messages.
        time.sleep(turn * 0.4)
        beats.end(holder, signal.SIGKILL)
        seen = len(beats.sent(EACH_SECOND))
        holder = beats.next_holder(seen)
        beats.stand_by(2 - turn)
    beats.end(holder, signal.SIGTERM)
    sent = beats.sent(EACH_SECOND)
    turns = [pid for pid, after in zip(sent, [*sent[1:], 0], strict=True) if pid != after]
    assert turns[0] == first
    assert sorted(turns[1:]) == sorted(standbys)
    assert len(beats.sent(NIGHTLY)) == 1
    # But for what those killed had no time to write down.
    assert 0 <= len(sent) - beats.written(EACH_SECOND) <= 3
    assert beats.written(NIGHTLY) == 1


def test_told_to_end_it_leaves_nothing_unwritten(beats: Beats) -> None:
    for _ in range(3):
        beats.start()
        seen = len(beats.sent(EACH_SECOND))
        beats.end(beats.next_holder(seen), signal.SIGTERM)
    assert len(beats.sent(EACH_SECOND)) == beats.written(EACH_SECOND)


def test_who_stands_still_loses_its_place_and_knows_it_afterwards(beats: Beats) -> None:
    still = beats.start()
    assert beats.holder() == still
    standby = beats.start()
    beats.stand_by(1)
    assert beats.health(1) == beats.health(2) == (0, "")
    beats.running[still].send_signal(signal.SIGSTOP)
    assert beats.next_holder(len(beats.sent(EACH_SECOND))) == standby
    beats.running[still].send_signal(signal.SIGCONT)
    beats.stand_by(1)
    beats.next_holder(len(beats.sent(EACH_SECOND)) + 1)
    sent = beats.sent(EACH_SECOND)
    assert sent == sorted(sent, key=[still, standby].index)


def test_a_session_that_is_ended_is_no_right_to_send(beats: Beats) -> None:
    """Whoever is quicker goes on, and no message is sent twice."""
    beats.start()
    beats.holder()
    beats.start()
    beats.stand_by(1)
    for _ in range(3):
        seen = len(beats.sent(EACH_SECOND))
        beats.root.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        )
        beats.next_holder(seen + 1)
        beats.stand_by(1)
    for pid in list(beats.running):
        beats.end(pid, signal.SIGTERM)
    assert 0 <= len(beats.sent(EACH_SECOND)) - beats.written(EACH_SECOND) <= 3
    assert len(beats.sent(NIGHTLY)) == 1


def test_what_the_broker_did_not_take_is_sent_when_it_is_back(beats: Beats) -> None:
    beats.broker.stop()
    pid = beats.start()
    beats.complains("the broker takes nothing")
    assert beats.written(NIGHTLY) == 0
    beats.broker.start()
    assert beats.holder() == pid
    assert beats.sent(NIGHTLY) == [pid]
    assert beats.written(NIGHTLY) == 1


def test_it_asks_little_and_sees_changes(beats: Beats) -> None:
    with beats.logged():
        beats.start()
        beats.holder()
        begun, before = time.monotonic(), beats.statements()
        beats.next_holder(len(beats.sent(EACH_SECOND)) + 3)
        asked = beats.statements() - before
    rate = asked / (time.monotonic() - begun)
    print(f"{rate:.1f} statements a second")
    # A look and what was sent, each second; a look at each of its turns would be 20 and more.
    assert asked >= 6
    assert rate < 5
    task = PeriodicTask.objects.get(name=NIGHTLY)
    PeriodicTask.objects.filter(pk=task.pk).update(
        interval=IntervalSchedule.objects.get(every=1, period="seconds"), crontab=None
    )
    PeriodicTasks.update_changed()

    def look() -> None:
        assert len(beats.sent(NIGHTLY)) > 2

    eventually(look)
