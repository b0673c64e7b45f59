"""Rebuild of positions and of P&L activity from 1,000,000 entries, beside one GROUP BY of them.

Nothing wrong: the survey reads and compares everything. All lost: every row is written again, and
beside it stands one INSERT … SELECT … GROUP BY into an empty copy of the same tables.
"""

import os
import time
from collections.abc import Callable

from benchmarks.ground import Ground, ledger_ground
from benchmarks.report import Report

ENTRIES = int(os.environ.get("BENCH_ENTRIES", "1000000"))
ROUNDS = 3

# By projection: its tables, and the sums that one bare statement computes over the same entries.
TABLES = {
    "positions": ("positions_position",),
    "pnl": ("pnl_holding", "pnl_dailyactivity"),
}
KEYS = {
    "positions": "account_id, instrument_id",
    "pnl": "account_id, trade_date, instrument_id",
}
SUMS = {
    "positions": "sum(quantity) AS quantity",
    "pnl": "sum(quantity) AS quantity, sum(notional) AS notional, sum(trades) AS trades",
}


def measure(report: Report) -> None:
    with ledger_ground() as ground:
        ground.fill(ENTRIES)
        from pnl.activity.projection import ACTIVITY
        from positions.projection import POSITIONS
        from trades.ledger.rebuild import rebuild
        from trades.ledger.shard_batch import State, drain
        from trades.models import LEDGER_SHARDS

        for projection in (POSITIONS, ACTIVITY):
            for shard in range(LEDGER_SHARDS):
                while drain(projection, shard, max_batches=1000).state is not State.DRAINED:
                    pass
        with ground.superuser() as root:
            root.execute("VACUUM ANALYZE")
        for projection in (POSITIONS, ACTIVITY):
            name = projection.name
            bare, sound = _in_turns(
                lambda name=name: _group_by(ground, name),  # type: ignore[misc]
                lambda projection=projection: _rebuild(projection, rebuild, 0),  # type: ignore[misc]
            )
            report.add(f"{name}: one GROUP BY", bare, "s")
            report.add(
                f"{name}: rebuilt, nothing wrong", sound, "s", beside=f"{name}: one GROUP BY"
            )
            rows = _lose(ground, name)
            report.add(f"{name}: GROUP BY written to a table", _written(ground, name), "s")
            started = time.perf_counter()
            _rebuild(projection, rebuild, rows)
            report.add(
                f"{name}: rebuilt, all lost",
                time.perf_counter() - started,
                "s",
                beside=f"{name}: GROUP BY written to a table",
            )


def _in_turns(*jobs: Callable[[], None]) -> list[float]:
    """The best time of each, measured in turns, so that what else runs meets all alike."""
    best = [float("inf")] * len(jobs)
    for _ in range(ROUNDS):
        for n, job in enumerate(jobs):
            started = time.perf_counter()
            job()
            best[n] = min(best[n], time.perf_counter() - started)
    return best


def _rebuild(projection: object, rebuild: Callable[..., object], wrong: int) -> None:
    found = sum(done.result.written for done in rebuild(projection))  # type: ignore[attr-defined]
    assert found == wrong, f"{found} rows differed, not {wrong}"


def _group_by(ground: Ground, name: str) -> None:
    """One bare statement with the same memory. The outer counts make it compute each sum: columns
    that nobody reads are not computed."""
    sums = [each.split(" AS ")[1] for each in SUMS[name].split(", ")]
    with ground.superuser() as root:
        root.execute("SET work_mem = '256MB'")
        root.execute(
            f"SELECT {', '.join(f'count({s})' for s in sums)} FROM"
            f" (SELECT {KEYS[name]}, {SUMS[name]} FROM trades_ledgerentry"
            f" GROUP BY {KEYS[name]}) g".encode()
        )


def _lose(ground: Ground, name: str) -> int:
    """Truncate the projection's tables; the number of rows that were there."""
    rows = 0
    with ground.superuser() as root:
        for table in TABLES[name]:
            found = root.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
            assert found is not None
            rows += int(str(found[0]))
            root.execute(f"TRUNCATE {table}".encode())
    return rows


def _written(ground: Ground, name: str) -> float:
    """One INSERT … SELECT a table into an empty copy with the same indexes and constraints."""
    with ground.superuser() as root:
        root.execute("SET work_mem = '256MB'")
        spent = 0.0
        for table in TABLES[name]:
            root.execute(f"CREATE TEMP TABLE bare (LIKE {table} INCLUDING ALL)".encode())
            daily = table == "pnl_dailyactivity"
            keys = KEYS["pnl"] if daily else KEYS["positions"]
            sums = SUMS["pnl"] if daily else f"{SUMS['positions']}, max(id) AS last_entry"
            columns = "quantity, notional, trades" if daily else "quantity, last_entry"
            stamp, now = (", updated_at", ", now()") if table == "positions_position" else ("", "")
            started = time.perf_counter()
            root.execute(
                f"INSERT INTO bare ({keys}, {columns}{stamp}) SELECT {keys}, {sums}{now}"
                f" FROM trades_ledgerentry GROUP BY {keys}".encode()
            )
            spent += time.perf_counter() - started
            root.execute("DROP TABLE bare")
        return spent
