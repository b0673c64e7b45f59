"""A CSV file of 100,000 rows booked by the import, beside raw COPY of the same rows into the same
tables, and beside one Celery task a trade (on 5,000).

The raw COPY streams the three tables' finished rows from files in one transaction each; nothing is
checked, split or parsed. With readers: two processes that drain all shards meanwhile, each for the
readers that one task of the workers serves. The task a trade is the booking service called by a
real worker through a real broker.
"""

import csv
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from benchmarks.ground import ACCOUNTS, INSTRUMENTS, Ground, ledger_ground
from benchmarks.report import Report

if TYPE_CHECKING:
    from trades.ledger.projection import Projection

ROWS = int(os.environ.get("BENCH_ROWS", "100000"))
TASKS = int(os.environ.get("BENCH_TASKS", "5000"))
RUNS = int(os.environ.get("BENCH_RUNS", "3"))
TABLES = ("trades_requestgroup", "trades_trade", "trades_tradeversion", "trades_ledgerentry")
PATIENCE = 600.0


def measure(report: Report) -> None:
    with ledger_ground() as ground, tempfile.TemporaryDirectory() as place:
        from django.contrib.auth.models import User

        from prices.sessions import sessions

        User.objects.create_superuser("root")
        # The calendar is built once a process; it is not what is measured.
        sessions()
        file = Path(place) / "trades.csv"
        write_csv(file)
        alone = [_import(ground, file) for _ in range(RUNS)]
        _save_rows(ground, Path(place))
        raw = [_raw_copy(ground, Path(place)) for _ in range(RUNS)]
        report.add("raw COPY of the same rows", ROWS / min(raw), "rows/s")
        report.add(
            "import, consumers stopped", ROWS / min(alone), "rows/s",
            beside="raw COPY of the same rows",
        )  # fmt: skip
        beside = []
        for _ in range(RUNS):
            _forget(ground)
            # Not while the tables are emptied: TRUNCATE and readers would block each other.
            with reading():
                beside.append(_import(ground, file, forget=False))
        _right(ground, file)
        report.add(
            "import, all readers running", ROWS / min(beside), "rows/s",
            beside="raw COPY of the same rows",
        )  # fmt: skip
        report.add(
            "upload (stored and looked through)", ROWS / _upload(file)[1], "rows/s",
            beside="raw COPY of the same rows",
        )  # fmt: skip
        if TASKS:
            report.add("one Celery task a trade", TASKS / _tasks(ground), "rows/s",
                       beside="import, consumers stopped")  # fmt: skip


def write_csv(file: Path) -> None:
    with file.open("w") as out:
        out.write("ticker,account,side,quantity,price,trade_date,note\n")
        for n in range(ROWS):
            side = "sell" if n % 3 == 0 else "buy"
            out.write(
                f"T{1 + n % INSTRUMENTS},A{1 + n % ACCOUNTS},{side},{1 + n % 900},"
                f"{100 + n % 77}.{n % 100:02},,{'from the desk' if n % 10 == 0 else ''}\n"
            )


def _upload(file: Path) -> tuple[UUID, float]:
    from django.contrib.auth.models import User

    from kernel import clock
    from trades.imports.accept import Asked, import_accept

    def parts() -> Iterator[bytes]:
        with file.open("rb") as data:
            while part := data.read(256 * 1024):
                yield part

    started = time.perf_counter()
    job, _ = import_accept(
        user=User.objects.get(username="root"),
        file_name=file.name,
        read=parts,
        asked=Asked(group_size=100, dry_run=False, again=True),
        now=clock.now(),
    )
    return job.pk, time.perf_counter() - started


def _import(ground: Ground, file: Path, *, forget: bool = True) -> float:
    """Seconds from the worker's first step to its last."""
    from trades.imports.run import import_run
    from trades.models import Import

    if forget:
        _forget(ground)
    job, _ = _upload(file)
    started = time.perf_counter()
    import_run(job, turn_seconds=PATIENCE)
    seconds = time.perf_counter() - started
    done = Import.objects.get(pk=job)
    assert (done.state, done.rows_booked) == ("done", ROWS), (done.state, done.error)
    return seconds


def _forget(ground: Ground) -> None:
    """The tables are empty and vacuumed, so that each run finds the same."""
    with ground.superuser() as root:
        root.execute("SET session_replication_role = replica")
        root.execute(
            "TRUNCATE trades_requestgroup, trades_trade, trades_tradeversion, trades_ledgerentry,"
            " trades_clienttradeid, trades_import, trades_importchunk, trades_rejection,"
            " positions_position, positions_settling, pnl_holding, pnl_dailyactivity, pnl_cost,"
            " pnl_strategyholding, pnl_strategyactivity, trades_checkpoint CASCADE"
        )
        root.execute("CHECKPOINT")


def _right(ground: Ground, file: Path) -> None:
    """Positions and the day's activity come to what the file says, once the rest is drained."""
    from positions.models import Position
    from trades.ledger.shard_batch import State, drain
    from trades.models import LEDGER_SHARDS

    for projection in chain(*_by_task()):
        for shard in range(LEDGER_SHARDS):
            while drain(projection, shard).state is not State.DRAINED:
                pass
    quantities: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    notionals: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    with file.open() as text:
        for row in csv.DictReader(text):
            key = row["account"], row["ticker"]
            signed = Decimal(row["quantity"]) * (1 if row["side"] == "buy" else -1)
            quantities[key] += signed
            notionals[key] += signed * Decimal(row["price"])
    held = Position.objects.values_list("account__code", "instrument__ticker", "quantity")
    assert {(a, t): q for a, t, q in held} == dict(quantities)
    with ground.superuser() as root:
        rows = root.execute(
            "SELECT a.code, i.ticker, d.notional FROM pnl_dailyactivity d"
            " JOIN accounts_account a ON a.id = d.account_id"
            " JOIN prices_instrument i ON i.id = d.instrument_id"
        ).fetchall()
    assert {(a, t): n for a, t, n in rows} == dict(notionals)


def _by_task() -> "list[list[Projection]]":
    """The readers, by the task that serves them (positions.tasks, pnl.tasks)."""
    from pnl.activity.projection import ACTIVITY
    from pnl.cost.projection import COST
    from pnl.strategies.projection import STRATEGY
    from positions.projection import POSITIONS, SETTLEMENT
    from trades.ledger.registry import consumers

    found: list[list[Projection]] = [[POSITIONS, SETTLEMENT], [ACTIVITY, COST, STRATEGY]]
    assert {each.name for each in chain(*found)} == set(consumers())
    return found


def _columns(ground: Ground, table: str) -> str:
    """What COPY may write: all but generated columns."""
    with ground.superuser() as root:
        rows = root.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
            " AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
            [table],
        ).fetchall()
    return ", ".join(f'"{row[0]}"' for row in rows)


def _save_rows(ground: Ground, place: Path) -> None:
    for table in TABLES:
        statement = f"COPY {table} ({_columns(ground, table)}) TO STDOUT"
        with ground.superuser() as root, (place / table).open("wb") as out:
            # Without its import the group can be loaded alone.
            if table == "trades_requestgroup":
                root.execute("SET session_replication_role = replica")
                root.execute("UPDATE trades_requestgroup SET import_job_id = NULL")
            with root.cursor().copy(statement.encode()) as copy:
                for part in copy:
                    out.write(part)


def _raw_copy(ground: Ground, place: Path) -> float:
    """Seconds, as the runtime role, with all constraints and indexes that the import meets."""
    import psycopg

    _forget(ground)
    with psycopg.connect(ground.cluster.url("runtime"), autocommit=True) as runtime:
        started = time.perf_counter()
        for table in TABLES:
            statement = f"COPY {table} ({_columns(ground, table)}) FROM STDIN"
            with runtime.cursor().copy(statement.encode()) as copy, (place / table).open("rb") as f:
                while part := f.read(256 * 1024):
                    copy.write(part)
        return time.perf_counter() - started


@contextmanager
def reading() -> Iterator[None]:
    """Two processes that drain, one each task, until this ends."""
    from django.db import connection

    connection.close()
    stop = os.pipe()
    children = []
    for projections in _by_task():
        child = os.fork()
        if child == 0:
            # Never back into the parent's frames: they would stop the cluster.
            try:
                _drain_until(projections, stop[0])
            finally:
                os._exit(0)
        children.append(child)
    try:
        yield
    finally:
        os.write(stop[1], b"xx")
        for child in children:
            os.waitpid(child, 0)


def _drain_until(projections: "list[Projection]", stop: int) -> None:
    from trades.ledger.shard_batch import drain
    from trades.models import LEDGER_SHARDS

    os.set_blocking(stop, False)
    while True:
        entries = sum(
            drain(p, s, patience=0).entries for s in range(LEDGER_SHARDS) for p in projections
        )
        try:
            os.read(stop, 1)
        except BlockingIOError:
            if not entries:
                time.sleep(0.02)
            continue
        return


def _tasks(ground: Ground) -> float:
    """Seconds until a worker with two processes has booked that many trades, one a task."""
    from celery import Celery

    from eqtrade.redis_urls import broker_url
    from eqtrade.up.valkey import ValkeyServer

    _forget(ground)
    with ValkeyServer.temporary() as valkey:
        app = Celery(broker=broker_url(valkey.url()))
        for number in range(TASKS):
            app.send_task("benchmarks.book", args=[number], queue="benchmark")
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "benchmarks.task_a_trade", "worker",
             "-Q", "benchmark", "--concurrency", "2", "--loglevel", "ERROR"],
            env={**os.environ, "REDIS_URL": valkey.url()},
        )  # fmt: skip
        try:
            return _booked(ground)
        finally:
            worker.terminate()
            worker.wait(30)


def _booked(ground: Ground) -> float:
    """Seconds from the first trade to the last: the worker's start does not count."""
    first = 0.0
    deadline = time.perf_counter() + PATIENCE
    with ground.superuser() as root:
        while time.perf_counter() < deadline:
            row: Any = root.execute("SELECT count(*) FROM trades_trade").fetchone()
            now = time.perf_counter()
            first = first or (now if row[0] else 0.0)
            if row[0] >= TASKS:
                return now - first
            time.sleep(0.01)
    raise AssertionError("the worker did not book them all")
