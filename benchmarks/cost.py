"""Average cost of 1,000,000 trades computed anew, beside one GROUP BY of the same entries, and
where the time goes: in the order, which a sum does not need. Then what one late trade costs."""

import os
import time
from collections.abc import Callable
from typing import Any

from benchmarks.ground import Ground, ledger_ground
from benchmarks.report import Report

ENTRIES = int(os.environ.get("BENCH_ENTRIES", "1000000"))
# Trades of one key, before which one more is found to belong.
HOT = [int(n) for n in os.environ.get("BENCH_HOT", "100,10000,100000").split(",")]

GROUP_BY = "one GROUP BY"
SUMS = (
    "SELECT count(s), count(n) FROM (SELECT account_id, instrument_id, sum(quantity) AS s,"
    " sum(notional) AS n FROM trades_ledgerentry GROUP BY account_id, instrument_id) g"
)
JOINED = """
    SELECT e.account_id, e.instrument_id, e.trade_date, v.executed_at, e.trade_id, e.quantity,
           v.price
      FROM trades_ledgerentry e
      JOIN trades_tradeversion v ON v.trade_id = e.trade_id AND v.version = e.version
"""


def measure(report: Report) -> None:
    with ledger_ground() as ground:
        from django.contrib.auth.models import User
        from django.db import connection

        from pnl.cost.average_cost import fold
        from pnl.cost.fills import fills_of, numbers
        from pnl.cost.projection import COST
        from trades.ledger.rebuild import rebuild
        from trades.ledger.shard_batch import State, drain
        from trades.models import LEDGER_SHARDS

        User.objects.create_user("bench")
        connection.close()
        ground.fill_trades(ENTRIES)
        with ground.superuser() as root:
            for table in ("trades_ledgerentry", "trades_tradeversion"):
                root.execute(f"VACUUM ANALYZE {table}".encode())

        report.add(GROUP_BY, _best(ground, SUMS), "s")
        for name, sql in (
            (
                "the entries with their versions, bare",
                f"SELECT count(*) FROM ({JOINED} OFFSET 0) g",
            ),
            (
                "the same in the order of costing, bare",
                f"SELECT count(*) FROM ({JOINED} ORDER BY 1, 2, 3, 4, 5 OFFSET 0) g",
            ),
            (
                "the same as fills, one string a key",
                f"SELECT sum(length(fills)) FROM ({fills_of('true', places=True)}) g",
            ),
        ):
            report.add(name, _best(ground, sql), "s", beside=GROUP_BY)

        with ground.superuser() as root, root.cursor(binary=True) as cursor:
            cursor.execute(
                f"SELECT fills, fill_count FROM ({fills_of('true', places=True)}) g".encode()
            )
            found: list[Any] = cursor.fetchall()
        started = time.perf_counter()
        for fills, count in found:
            fold(numbers(fills, count))
        report.add("the fold alone", time.perf_counter() - started, "s", beside=GROUP_BY)

        def drained() -> None:
            for shard in range(LEDGER_SHARDS):
                while drain(COST, shard, max_batches=1000).state is not State.DRAINED:
                    pass

        report.add("applied from nothing", _timed(drained), "s", beside=GROUP_BY)

        def replayed() -> None:
            wrong = sum(done.result.written for done in rebuild(COST))
            assert wrong == 0, f"{wrong} rows differed after applying"

        report.add("replayed, nothing wrong", _timed(replayed), "s", beside=GROUP_BY)
        for trades in HOT:
            _late(ground, report, trades, drained)


def _late(ground: Ground, report: Report, trades: int, drained: Callable[[], None]) -> None:
    """Apply one trade that belongs before all others of a key that has this many."""
    name = 1_000_000 + trades
    with ground.superuser() as root:
        root.execute(
            "INSERT INTO prices_instrument (id, ticker, name, exchange, currency, yahoo_symbol,"
            " is_active, indices) VALUES (%(id)s, %(t)s, '', 'XNYS', 'USD', %(t)s, true, '{}')",
            {"id": name, "t": f"H{trades}"},
        )
    for day, count in (("2026-02-02", trades), ("2026-02-01", 1)):
        with ground.superuser() as root:
            root.execute("SET session_replication_role = replica")
            root.execute(
                """
                WITH g AS MATERIALIZED (
                    SELECT uuidv7() AS id, n, (SELECT min(id) FROM auth_user) AS user_id
                      FROM generate_series(1, %(count)s) n
                ), v AS (
                    INSERT INTO trades_tradeversion (trade_id, account_id, instrument_id, side,
                        quantity, price, trade_date, executed_at, note, version, status, actor_id,
                        reason)
                    SELECT id, 1, %(name)s, 'buy', 1, 100, %(day)s::date, now(), '', 1, 'booked',
                           user_id, '' FROM g
                )
                INSERT INTO trades_ledgerentry (account_id, instrument_id, trade_date, quantity,
                    notional, trades, trade_id, version)
                SELECT 1, %(name)s, %(day)s::date, 1, 100, 1, id, 1 FROM g
                """,
                {"count": count, "day": day, "name": name},
            )
            root.execute("ANALYZE trades_ledgerentry")
        seconds = _timed(drained)
    report.add(f"one late trade, key of {trades:,}", seconds * 1000, "ms")


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _best(ground: Ground, sql: str) -> float:
    with ground.superuser() as root:
        root.execute("SET work_mem = '256MB'")
        return min(_timed(lambda: root.execute(sql.encode())) for _ in range(3))
