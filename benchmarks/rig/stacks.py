"""Whole stacks to be measured, one at a time: whatever is not measured is stopped in its place.

A stopped process (SIGSTOP) keeps its connections and memory, and uses no CPU. So two stacks, and
parts of one, alternate within one run without being started anew.
"""

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg

from benchmarks.rig.cpu import tree
from eqtrade.database_roles import DATABASE
from eqtrade.up.options import PROJECT
from eqtrade.up.runtime import load_secrets
from tests.stack.running import RunningStack

OTHER = "BENCH_OTHER"
"""The environment's name of a second checkout to measure beside this one."""
DRAIN_SECONDS = 120.0
QUIET_SECONDS = 10.0
LOOK_SECONDS = 0.1
"""Between two looks at the readers, which use the CPU that is measured."""
CONSUMERS = ("positions", "pnl", "cost")
"""The readers of every checkout; those that have a checkpoint are waited for as well."""

_BUSY = """
    SELECT count(*) FROM pg_stat_activity
     WHERE backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid()
"""
# Whether a reader has not read something yet.
_UNREAD = """
    SELECT EXISTS (
        SELECT FROM generate_series(0, 15) AS s (shard)
         CROSS JOIN (SELECT unnest(%s::text[]) UNION SELECT consumer FROM trades_checkpoint)
            AS r (consumer)
          LEFT JOIN trades_checkpoint c USING (consumer, shard)
         WHERE EXISTS (
            SELECT FROM trades_ledgerentry e
             WHERE e.shard = s.shard
               AND (e.epoch, e.txid, e.id) > (coalesce(c.epoch, 0), coalesce(c.txid, '0'),
                                              coalesce(c.entry_id, 0))))
"""


class Stack(RunningStack):
    """A stack under measurement. `name` is what figures call it."""

    start_seconds = 600

    def __init__(self, name: str, data_dir: Path, checkout: Path) -> None:
        super().__init__(data_dir, checkout=checkout)
        self.name = name
        self._suspended: list[psutil.Process] = []

    def superuser(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg.connect(
            host=str(self.layout.postgres_sockets),
            user="postgres",
            password=load_secrets(self.layout)["superuser"],
            dbname=DATABASE,
            autocommit=True,
        )

    def parts(self) -> dict[str, int]:
        """What CPU is counted by: each program, the workers with the queues that they serve."""
        return {_title(name, pid): pid for name, pid in self.pids().items()}

    # --- stopping and going on ------------------------------------------------------------------

    def only(self, programs: Collection[str] | None = None) -> None:
        """Let these programs run and no others of this stack; all of them when None is given, and
        with an empty collection not even the stack's own supervision."""
        self.resume()
        if programs is None:
            return
        pids = self.pids()
        watching = {"eqtrade.up", "supervisord"}
        if not programs:
            for name in sorted(watching & pids.keys()):
                self._suspend(tree(pids[name])[:1])
        stopped = pids.keys() - watching - set(programs)
        if "beat" in stopped:
            self._suspend(tree(pids["beat"]))
            self._wait_until_quiet()
        for name in sorted(stopped - {"beat"}):
            self._suspend(tree(pids[name]))

    def _suspend(self, processes: list[psutil.Process]) -> None:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGSTOP)
                self._suspended.append(process)

    def _wait_until_quiet(self) -> None:
        """Wait until no transaction is open: what is stopped within one would go on into its
        timeout."""
        deadline = time.monotonic() + QUIET_SECONDS
        calm = 0
        with self.superuser() as root:
            while calm < 5 and time.monotonic() < deadline:
                row = root.execute(_BUSY).fetchone()
                calm = calm + 1 if row is not None and row[0] == 0 else 0
                time.sleep(0.05)

    def resume(self) -> None:
        """Let everything go on, servers before those who use them."""
        for process in reversed(self._suspended):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)
        self._suspended.clear()

    def stop(self) -> list[str]:
        self.resume()
        return super().stop()

    # --- the ledger's readers -------------------------------------------------------------------

    def drained(self) -> float:
        """Wait until every reader has read everything; the seconds that it took, to a tenth."""
        began = time.monotonic()
        with self.superuser() as root:
            while True:
                row = root.execute(_UNREAD, [list(CONSUMERS)], prepare=True).fetchone()
                seconds = time.monotonic() - began
                if row is not None and not row[0]:
                    return seconds
                assert seconds < DRAIN_SECONDS, f"{self.name}: the readers do not catch up"
                time.sleep(LOOK_SECONDS)


def _title(name: str, pid: int) -> str:
    if not name.startswith("worker"):
        return name
    with suppress(psutil.NoSuchProcess, ValueError, IndexError):
        command = psutil.Process(pid).cmdline()
        return f"worker {command[command.index('-Q') + 1].replace(',', ', ')}"
    return name


def alone(stack: Stack, stacks: Sequence[Stack], programs: Collection[str] | None = None) -> None:
    """Let this stack run, or these programs of it, and nothing of the others."""
    for other in stacks:
        if other is not stack:
            other.only(())
    stack.only(programs)


@contextmanager
def stacks() -> Iterator[list[Stack]]:
    """This checkout's stack, and the other's if one is named: started here, ended at the end."""
    wanted = [("ours", PROJECT)]
    if other := os.environ.get(OTHER):
        wanted.append(("the other checkout", Path(other).resolve()))
    # Ended from outside, it would leave stacks behind, some of them stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    place = Path(tempfile.mkdtemp(prefix="eqtrade-bench-", dir="/tmp"))
    place.chmod(0o711)
    with ExitStack() as at_end:
        at_end.callback(shutil.rmtree, place, ignore_errors=True)
        found = []
        for number, (name, checkout) in enumerate(wanted):
            stack = Stack(name, place / f"data{number}", checkout)
            at_end.callback(stack.stop)
            print(f"starting a stack: {name}, {checkout} …", flush=True)
            stack.start()
            found.append(stack)
            if len(found) < len(wanted):
                stack.only(())
        try:
            yield found
        except Exception:
            # Their logs go with them.
            for stack in found:
                print(f"=== {stack.name}\n{stack.log_tails(40)}", file=sys.stderr)
            raise
