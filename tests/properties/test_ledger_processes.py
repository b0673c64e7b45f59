"""Nothing skipped and nothing twice, whatever dies: real writers and readers, killed at random.

At the end positions equal the sum of the trades, and each entry was given to each consumer exactly
once; legs of corporate actions are what the trades and the decisions make. The same test must fail
against each broken variant: a test that cannot tell them from the sound system would prove nothing.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from psycopg import connect

from eqtrade.up.postgres import PostgresServer
from eqtrade.up.valkey import ValkeyServer
from eqtrade.verify import verify
from pnl.activity.legs import work_do, work_waits
from pnl.activity.projection import ACTIVITY
from pnl.cost.projection import COST
from pnl.strategies.projection import STRATEGY
from positions.projection import POSITIONS, SETTLEMENT
from prices.models import CorporateActionDecision
from tests import factories as make
from trades.ledger.consumer import shards_behind
from trades.ledger.shard_batch import State, drain
from trades.models import LEDGER_SHARDS, LedgerEntry

PROJECT = Path(__file__).resolve().parents[2]
WRITERS, READERS, STEPS, DECISIONS = 3, 2, 60, 25
DEADLINE_SECONDS = 120


@dataclass(frozen=True)
class Ground:
    """Where the actors meet."""

    cluster: PostgresServer
    redis_url: str
    stop: Path

    @contextmanager
    def company(self, variant: str, *, lossy: bool) -> Iterator["Company"]:
        """Actors, none of which is left afterwards."""
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "eqtrade.settings",
            "DATABASE_URL": self.cluster.url("runtime"),
            "ACTORS_REDIS": self.redis_url,
            "ACTORS_STOP": str(self.stop),
            "ACTORS_VARIANT": variant,
            "ACTORS_LOSSY": "1" if lossy else "0",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.properties.ledger_actors"],
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            yield Company(process)
        finally:
            self.stop.touch()
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@dataclass(frozen=True)
class Company:
    """Who forks the actors, and says how they end."""

    process: "subprocess.Popen[str]"

    def enter(self, role: str, seed: int, steps: int = STEPS) -> int:
        return self._ask(f"{role} {seed} {steps}")

    def exit_code(self, actor: int) -> int:
        """That of an actor, once it has ended."""
        return self._ask(f"wait {actor}")

    def _ask(self, line: str) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


@pytest.fixture
def ground(committed_db: PostgresServer, tmp_path: Path) -> Iterator[Ground]:
    User.objects.create_superuser("root")
    # Most accounts share a shard, so that their transactions overlap within it.
    codes = iter(range(1000))
    shared = make.make_account("A")
    accounts = [shared]
    while len(accounts) < 3:
        account = make.make_account(f"A{next(codes)}")
        if account.pk % LEDGER_SHARDS == shared.pk % LEDGER_SHARDS or len(accounts) == 1:
            accounts.append(account)
        else:
            account.delete()
    for ticker in ("IBM", "XOM"):
        make.make_instrument(ticker)
    with connect(committed_db.url("owner"), autocommit=True) as owner:
        owner.execute("CREATE TABLE audit (consumer text, entry_id bigint)")
        owner.execute("GRANT ALL ON audit TO eqtrade")
    connection.close()
    try:
        with ValkeyServer.temporary() as valkey:
            yield Ground(committed_db, valkey.url(), tmp_path / "stop")
    finally:
        connection.close()
        with connect(committed_db.url("owner"), autocommit=True) as owner:
            owner.execute("DROP TABLE audit")


def play(ground: Ground, variant: str, seed: int, *, lossy: bool) -> None:
    """Let the actors do their work to the end."""
    with ground.company(variant, lossy=lossy) as company:
        readers = [company.enter("reader", seed + i) for i in range(READERS)]
        writers = [company.enter("writer", seed - i) for i in range(WRITERS)]
        if lossy:
            decider = company.enter("decider", seed, steps=DECISIONS)
            assert company.exit_code(decider) == 0
            # Later entries of before the ex-dates: no decision folds them in.
            settle(work_waits)
            writers.append(company.enter("writer", seed + 1, steps=STEPS // 3))
        for writer in writers:
            assert company.exit_code(writer) == 0
        if not lossy:
            # One more, alone: nobody's later nudge, and nobody's wait at the horizon, helps it.
            settle()
            assert company.exit_code(company.enter("writer", seed, steps=1)) == 0
        ground.stop.touch()
        for reader in readers:
            company.exit_code(reader)


def settle(waits: Callable[[], object] = shards_behind) -> None:
    """Wait until the readers have nothing left, or seem to have given up."""
    deadline = time.monotonic() + 10
    while waits() and time.monotonic() < deadline:
        time.sleep(0.05)


def sweep() -> None:
    """What beat does every few seconds, until nothing is left."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    for projection in (POSITIONS, SETTLEMENT, ACTIVITY, COST, STRATEGY):
        for shard in range(LEDGER_SHARDS):
            while drain(projection, shard).state is not State.DRAINED:
                assert time.monotonic() < deadline
    work_do()


def wrongs() -> list[str]:
    """Everything that is not as it must be. Entries that the final sweep, which keeps no audit,
    applied are not in the audit: at most once is asked of it, exactly once of the sums."""
    found = [str(b) for b in verify()]
    found += [f"{consumer} {shard} is behind" for consumer, shard in shards_behind()]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT consumer, entry_id, count(*) FROM audit GROUP BY 1, 2 HAVING count(*) > 1"
        )
        found += [f"{c}: entry {e} was applied {n} times" for c, e, n in cursor.fetchall()]
    return found


@pytest.mark.parametrize("seed", [101, 202])
def test_each_entry_counts_once_whatever_dies(ground: Ground, seed: int) -> None:
    play(ground, "sound", seed, lossy=True)
    sweep()
    assert LedgerEntry.objects.count() > STEPS
    assert CorporateActionDecision.objects.filter(decision="confirmed").exists()
    assert wrongs() == []


@pytest.mark.parametrize(
    "variant",
    [
        *("no horizon", "horizon asked again", "checkpoint apart"),
        *("round without horizon", "round with checkpoint apart"),
        "legs do not follow",
    ],
)
def test_a_broken_reader_is_noticed(ground: Ground, variant: str) -> None:
    play(ground, variant, 303, lossy=True)
    sweep()
    assert wrongs() != []


def test_every_nudge_after_a_commit_is_enough(ground: Ground) -> None:
    """Nobody sweeps: what a nudge announces is there to be read, or waited for."""
    play(ground, "sound", 404, lossy=False)
    assert wrongs() == []


def test_nudges_before_the_commit_are_noticed(ground: Ground) -> None:
    play(ground, "nudge before commit", 404, lossy=False)
    assert wrongs() != []
