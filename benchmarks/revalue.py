"""The whole book revalued and totalled by account: beside the bare query, and beside writing every
row back as a stored P&L would after each tick. Linear in positions, flat in what was traded before.

BENCH_POSITIONS (100000,200000,300000) and BENCH_HISTORY (0,5,10: past days with activity a key).
"""

import os
import time
from collections.abc import Callable
from datetime import date, datetime
from statistics import median
from typing import Any

from benchmarks.ground import Ground, ledger_ground
from benchmarks.report import Report

POSITIONS = [int(n) for n in os.environ.get("BENCH_POSITIONS", "100000,200000,300000").split(",")]
HISTORY = [int(n) for n in os.environ.get("BENCH_HISTORY", "0,5,10").split(",")]
NAMES = 500
TIMES = 7

BARE = """
    SELECT h.account_id,
           sum(c.close * coalesce(a.quantity, 0) - coalesce(a.notional, 0)),
           sum((q.price - c.close) * h.quantity)
      FROM pnl_holding h
      JOIN prices_quote q ON q.instrument_id = h.instrument_id AND q.source = 'simulated'
      JOIN prices_close c ON c.instrument_id = h.instrument_id AND c.session = %(previous)s
      LEFT JOIN pnl_dailyactivity a ON a.account_id = h.account_id
            AND a.instrument_id = h.instrument_id AND a.trade_date = %(today)s
     WHERE h.account_id = ANY(%(accounts)s)
     GROUP BY h.account_id
"""

WRITE_BACK = """
    UPDATE bench_stored s SET trade_pnl = r.trade_pnl, position_pnl = r.position_pnl
      FROM (SELECT h.account_id, h.instrument_id,
                   c.close * coalesce(a.quantity, 0) - coalesce(a.notional, 0) AS trade_pnl,
                   (q.price - c.close) * h.quantity AS position_pnl
              FROM pnl_holding h
              JOIN prices_quote q ON q.instrument_id = h.instrument_id AND q.source = 'simulated'
              JOIN prices_close c
                ON c.instrument_id = h.instrument_id AND c.session = %(previous)s
              LEFT JOIN pnl_dailyactivity a ON a.account_id = h.account_id
                    AND a.instrument_id = h.instrument_id AND a.trade_date = %(today)s) r
     WHERE r.account_id = s.account_id AND r.instrument_id = s.instrument_id
"""


def measure(report: Report) -> None:
    with ledger_ground() as ground:
        from kernel import clock
        from prices.sessions import sessions

        now = clock.now()
        known = sessions()
        today = known.business_date(now)
        previous = known.previous_session(today)
        price(ground, now, previous)
        for size in POSITIONS:
            accounts = fill(ground, size, today, history=0)
            _figures(report, ground, f"{size:,} positions", accounts, now, today, previous)
        for history in HISTORY:
            accounts = fill(ground, POSITIONS[-1], today, history=history)
            name = f"{POSITIONS[-1]:,} positions, {history} past days each"
            _figures(report, ground, name, accounts, now, today, previous, write=False)


def _figures(
    report: Report, ground: Ground, name: str, accounts: list[int], now: datetime, today: date,
    previous: date, *, write: bool = True,
) -> None:  # fmt: skip
    from django.db import connection

    from pnl.live.totals import live_totals

    params: dict[str, Any] = {"accounts": accounts, "previous": previous, "today": today}

    def bare() -> Any:
        with connection.cursor() as cursor:
            cursor.execute(BARE, params)
            return {row[0]: (row[1], row[2]) for row in cursor.fetchall()}

    def revalue() -> Any:
        return live_totals(accounts=accounts, now=now)

    assert sum(t.total_pnl for t in revalue()) == sum(a + b for a, b in bare().values())
    report.add(f"{name}: bare query", seconds_of(bare), "s")
    beside = f"{name}: bare query"
    report.add(f"{name}: revalued", seconds_of(revalue), "s", beside=beside)
    if write:
        with ground.superuser() as root:
            root.execute("DROP TABLE IF EXISTS bench_stored")
            root.execute(
                "CREATE TABLE bench_stored AS SELECT account_id, instrument_id,"
                " 0::numeric AS trade_pnl, 0::numeric AS position_pnl FROM pnl_holding"
            )
            root.execute("CREATE UNIQUE INDEX ON bench_stored (account_id, instrument_id)")
            root.execute("VACUUM ANALYZE bench_stored")
            written = seconds_of(lambda: root.execute(WRITE_BACK.encode(), params), times=3)
        report.add(f"{name}: every row written back", written, "s", beside=beside)


def seconds_of(job: Callable[[], Any], times: int = TIMES) -> float:
    job()
    found = []
    for _ in range(times):
        started = time.perf_counter()
        job()
        found.append(time.perf_counter() - started)
    return median(found)


def price(ground: Ground, now: datetime, previous: date) -> None:
    with ground.superuser() as root:
        root.execute(
            "INSERT INTO prices_close (instrument_id, session, source, close)"
            " SELECT id, %s, 'simulated', 100 + id %% 50 FROM prices_instrument",
            [previous],
        )
        root.execute(
            "INSERT INTO prices_quote (instrument_id, source, price, as_of)"
            " SELECT id, 'simulated', 101.25 + id %% 50, %s FROM prices_instrument",
            [now],
        )


def fill(ground: Ground, positions: int, today: date, *, history: int) -> list[int]:
    """As many holdings, a third of them traded today, and `history` past days of activity a key;
    positions beside them, all readers at the same place. The ids of the accounts."""
    accounts = -(-positions // NAMES)
    with ground.superuser() as root:
        root.execute("SET session_replication_role = replica")
        root.execute("TRUNCATE pnl_holding, positions_position, pnl_dailyactivity")
        root.execute(
            "INSERT INTO accounts_account (id, code, name, can_short, is_active)"
            " SELECT n, 'A' || n, '', true, true FROM generate_series(1, %s) n"
            " ON CONFLICT DO NOTHING",
            [accounts],
        )
        root.execute(
            "INSERT INTO pnl_holding (account_id, instrument_id, quantity, last_entry)"
            " SELECT 1 + n / %(names)s, 1 + n %% %(names)s, 1 + n %% 1000, n"
            " FROM generate_series(0, %(rows)s - 1) n",
            {"names": NAMES, "rows": positions},
        )
        root.execute(
            "INSERT INTO positions_position (account_id, instrument_id, quantity, last_entry,"
            " updated_at) SELECT account_id, instrument_id, quantity, last_entry, now()"
            " FROM pnl_holding"
        )
        root.execute(
            "INSERT INTO pnl_dailyactivity (account_id, instrument_id, trade_date, quantity,"
            " notional, trades) SELECT account_id, instrument_id, %(today)s::date - d, 1, 100, 1"
            " FROM pnl_holding, generate_series(0, %(days)s) d"
            " WHERE d > 0 OR instrument_id %% 3 = 0"
            # A day's rows lie together, as they came.
            " ORDER BY d DESC",
            {"today": today, "days": history},
        )
        root.execute("VACUUM ANALYZE")
    return list(range(1, accounts + 1))
