"""Rebuild of positions and of P&L activity from 1,000,000 entries, beside one GROUP BY of them."""

import os
import time

from benchmarks.ground import Ground, ledger_ground
from benchmarks.report import Report

ENTRIES = int(os.environ.get("BENCH_ENTRIES", "1000000"))

GROUP_BY = {
    "positions": "SELECT account_id, instrument_id, sum(quantity) FROM trades_ledgerentry"
    " GROUP BY account_id, instrument_id",
    "pnl": "SELECT account_id, trade_date, instrument_id, sum(quantity), sum(notional), sum(trades)"
    " FROM trades_ledgerentry GROUP BY account_id, trade_date, instrument_id",
}


def measure(report: Report) -> None:
    with ledger_ground() as ground:
        ground.fill(ENTRIES)
        from pnl.projection import ACTIVITY
        from positions.projection import POSITIONS
        from trades.ledger import State, drain
        from trades.models import LEDGER_SHARDS
        from trades.rebuilding import rebuild

        for projection in (POSITIONS, ACTIVITY):
            for shard in range(LEDGER_SHARDS):
                while drain(projection, shard, max_batches=1000).state is not State.DRAINED:
                    pass
        for projection in (POSITIONS, ACTIVITY):
            name = projection.name
            report.add(f"{name}: one GROUP BY", _group_by(ground, GROUP_BY[name]), "s")
            started = time.perf_counter()
            wrong = sum(done.result.written for done in rebuild(projection))
            assert wrong == 0, f"{wrong} rows differed after applying"
            report.add(
                f"{name}: rebuilt, nothing wrong", time.perf_counter() - started, "s",
                beside=f"{name}: one GROUP BY",
            )  # fmt: skip


def _group_by(ground: Ground, sql: str) -> float:
    best = float("inf")
    with ground.superuser() as root:
        for _ in range(3):
            started = time.perf_counter()
            root.execute(f"SELECT count(*) FROM ({sql}) g".encode())
            best = min(best, time.perf_counter() - started)
    return best
