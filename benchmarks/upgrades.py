"""Upgrades of 5,000,000 trades, to 10 decimals and to fees: what each migration takes, which locks
it holds and for how long, what it writes, and how long bookings beside it wait at most."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread

from benchmarks.ground import FILLED, Ground, ledger_ground
from benchmarks.report import Report

TRADES = int(os.environ.get("BENCH_TRADES", "5000000"))
TEN_DECIMALS = ("0012", "0013", "0014", "0015", "0016", "0018")
TERMS_AND_FEES = ("0021", "0022", "0023", "0024", "0025", "0026")
"""Migrations of trades; the first is where they begin."""
FILES = "SELECT pg_relation_filenode(oid) FROM pg_class WHERE relname = ANY(%s) ORDER BY relname"
# The locks that keep others out, if only from writing; reading and writing take weaker ones.
LOCKS = """
    SELECT c.relname, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
     WHERE l.granted AND c.relname = ANY(%s)
       AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
"""
BOOK = """
    WITH t AS (
        INSERT INTO trades_trade (id, account_id, instrument_id, side, quantity, price, trade_date,
            executed_at, note, version, status, booked_at, booked_by_id)
        SELECT uuidv7(), 1, 1, 'buy', 10, 2, current_date, now(), '', 1, 'booked', now(), min(id)
          FROM auth_user RETURNING *
    ), v AS (
        INSERT INTO trades_tradeversion (trade_id, account_id, instrument_id, side, quantity, price,
            trade_date, executed_at, note, version, status, actor_id, reason)
        SELECT id, 1, 1, side, quantity, price, trade_date, executed_at, note, 1, status,
               booked_by_id, '' FROM t
    )
    INSERT INTO trades_ledgerentry (account_id, instrument_id, trade_date, quantity, notional,
        trades, trade_id, version)
    SELECT 1, 1, trade_date, quantity, quantity * price, 1, id, 1 FROM t
"""


def measure_ten_decimals(report: Report) -> None:
    _measure(report, *TEN_DECIMALS)


def measure_fees(report: Report) -> None:
    _measure(report, *TERMS_AND_FEES)


def _measure(report: Report, before: str, *steps: str) -> None:
    with ledger_ground() as ground:
        from django.contrib.auth.models import User
        from django.core.management import call_command
        from django.db import connection

        User.objects.create_user("bench")
        connection.close()
        connection.settings_dict["USER"] = "eqtrade_owner"
        connection.settings_dict["PASSWORD"] = ground.cluster.passwords.of("owner")
        call_command("migrate", "trades", before, verbosity=0)
        ground.fill_trades(TRADES)
        with ground.superuser() as root:
            root.execute("CHECKPOINT")
            files = root.execute(FILES, [list(FILLED)]).fetchall()
            for step in steps:
                wal = root.execute("SELECT pg_current_wal_lsn()").fetchone()
                with beside(ground) as seen:
                    started = time.perf_counter()
                    call_command("migrate", "trades", step, verbosity=0)
                    took = time.perf_counter() - started
                report.add(f"{step}", took, "s")
                for (table, mode), held in sorted(seen.locks.items()):
                    report.add(f"{step}: {mode} on {table}", held * 1000, "ms")
                report.add(f"{step}: the longest booking beside it", seen.longest * 1000, "ms")
                written = root.execute(
                    "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), %s)", wal
                ).fetchone()
                assert written is not None
                # The bookings beside it are in here.
                report.add(f"{step}: written ahead", float(str(written[0])) / 1024, "KiB")
            assert root.execute(FILES, [list(FILLED)]).fetchall() == files, "written anew"
        connection.close()


@dataclass
class Seen:
    """How long each lock was seen held, from the first look to the last, and the longest booking;
    in seconds."""

    locks: dict[tuple[str, str], float] = field(default_factory=dict)
    longest: float = 0.0


@contextmanager
def beside(ground: Ground) -> Iterator[Seen]:
    """Look at locks and book, as quickly as it goes, until what is done here ends."""
    seen, is_over = Seen(), Event()

    def look() -> None:
        first: dict[tuple[str, str], float] = {}
        with ground.superuser() as root:
            while not is_over.is_set():
                for table, mode in root.execute(LOCKS, [list(FILLED)]).fetchall():
                    key, now = (str(table), str(mode)), time.perf_counter()
                    seen.locks[key] = now - first.setdefault(key, now)
                time.sleep(0.001)

    def book() -> None:
        with ground.superuser() as root:
            root.execute("SET session_replication_role = replica")
            while not is_over.is_set():
                started = time.perf_counter()
                root.execute(BOOK.encode())
                seen.longest = max(seen.longest, time.perf_counter() - started)
                time.sleep(0.002)

    threads = [Thread(target=look), Thread(target=book)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
