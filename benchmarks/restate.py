"""A late trade many sessions back: how long until every later session's P&L is right again, and how
long readers of the ledger wait meanwhile. One name of an account, then all its names at once.

BENCH_SESSIONS (250) back, in an account of BENCH_NAMES (500).
"""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from benchmarks.ground import Ground, ledger_ground
from benchmarks.report import Report

SESSIONS = int(os.environ.get("BENCH_SESSIONS", "250"))
NAMES = int(os.environ.get("BENCH_NAMES", "500"))
ACCOUNT, ELSEWHERE = "A1", "A2"


def measure(report: Report) -> None:
    with ledger_ground() as ground:
        from django.contrib.auth.models import User
        from django.db import transaction

        from kernel import clock
        from pnl.daily.finalize import daily_finalize
        from prices.sessions import sessions
        from trades.services.booking import trade_book
        from trades.terms import Booking

        user = User.objects.create_superuser("root")
        now, known = clock.now(), sessions()
        days = [known.business_date(now)]
        while len(days) <= SESSIONS + 1:
            days.insert(0, known.previous_session(days[0]))
        _fill(ground, days, now)
        started = time.perf_counter()
        daily_finalize(now=now)
        kept = _count()
        report.add(f"kept for the first time, {kept:,} rows", time.perf_counter() - started, "s")

        def book(account: str, name: int, day: date) -> None:
            booking = Booking(account, f"T{name}", "buy", Decimal(1), Decimal(100), day)
            trade_book(user=user, booking=booking, now=clock.now())

        def here() -> None:
            book(ELSEWHERE, 1, days[-1])
            _drain(ELSEWHERE)

        quiet = _beside(here, lambda: time.sleep(2))
        report.add("booking read elsewhere, nothing restated: median", median(quiet), "ms")
        report.add("booking read elsewhere, nothing restated: longest", max(quiet), "ms")
        for title, names in (("one name", [1]), (f"all {NAMES} names", range(1, NAMES + 1))):
            with transaction.atomic():
                for name in names:
                    book(ACCOUNT, name, days[1])
            _drain(ACCOUNT)
            found: list[float] = []
            waits = _beside(here, lambda: found.append(_restated()))  # noqa: B023 - called at once
            report.add(f"{title}, {SESSIONS} sessions back: restated", found[0], "s")
            if waits:
                report.add(f"{title}: booking read elsewhere: median", median(waits), "ms",
                           beside="booking read elsewhere, nothing restated: median")  # fmt: skip
                report.add(f"{title}: booking read elsewhere: longest", max(waits), "ms",
                           beside="booking read elsewhere, nothing restated: longest")  # fmt: skip
        _check(days, now)


def _restated() -> float:
    from kernel import clock
    from pnl.daily.restate import Turn, restate_work

    started = time.perf_counter()
    while restate_work(now=clock.now()) is not Turn.DONE:
        pass
    return time.perf_counter() - started


def _beside(job: Callable[[], None], work: Callable[[], Any]) -> list[float]:
    """Milliseconds of each run of `job` in a thread of its own while `work` is done here."""
    from django.db import connection

    found: list[float] = []
    over = threading.Event()

    def loop() -> None:
        with suppress(Exception):
            while not over.is_set():
                started = time.perf_counter()
                job()
                found.append((time.perf_counter() - started) * 1000)
        connection.close()

    thread = threading.Thread(target=loop)
    thread.start()
    work()
    over.set()
    thread.join()
    return found


def _drain(account: str) -> None:
    """Both readers at the account's shard, until they have everything."""
    from accounts.models import Account
    from pnl.activity.projection import ACTIVITY
    from positions.projection import POSITIONS
    from trades.ledger.shard_batch import State, drain
    from trades.models import LEDGER_SHARDS

    shard = Account.objects.get(code=account).pk % LEDGER_SHARDS
    for projection in (POSITIONS, ACTIVITY):
        while drain(projection, shard).state is State.MORE:
            pass


def _count() -> int:
    from pnl.models import DailyPnl

    return DailyPnl.objects.count()


def _check(days: list[date], now: datetime) -> None:
    """One late trade of 1 @ 100 in every name, a second in the first: all sessions hold them."""
    from pnl.models import DailyPnl, RestateRequest

    assert not RestateRequest.objects.exists()
    found = DailyPnl.objects.filter(
        account__code=ACCOUNT, instrument__ticker="T1", session__gte=days[1]
    )
    assert {row.closing_quantity for row in found} == {Decimal(12)}
    assert all(row.restated_at is not None and row.restated_at >= now for row in found)


def _fill(ground: Ground, days: list[date], now: datetime) -> None:
    """10 of every name bought on the first day; every session's closes are there and settled."""
    with ground.superuser() as root:
        root.execute("SET session_replication_role = replica")
        root.execute(
            "INSERT INTO prices_instrument (id, ticker, name, exchange, currency, yahoo_symbol,"
            " is_active, indices) SELECT n, 'T' || n, '', 'XNYS', 'USD', 'T' || n, true, '{}'"
            " FROM generate_series(1, %s) n ON CONFLICT DO NOTHING",
            [NAMES],
        )
        root.execute(
            "INSERT INTO pnl_holding (account_id, instrument_id, quantity, last_entry)"
            " SELECT 1, n, 10, 0 FROM generate_series(1, %s) n",
            [NAMES],
        )
        root.execute(
            "INSERT INTO pnl_dailyactivity (account_id, instrument_id, trade_date, quantity,"
            " notional, trades) SELECT 1, n, %s, 10, 990, 1 FROM generate_series(1, %s) n",
            [days[0], NAMES],
        )
        root.execute(
            "INSERT INTO prices_close (instrument_id, session, source, close)"
            " SELECT n, d, 'simulated', 100 + (n + extract(day FROM d)::int) %% 17"
            " FROM generate_series(1, %s) n, unnest(%s::date[]) d",
            [NAMES, days[:-1]],
        )
        root.execute(
            "INSERT INTO prices_closerun (session, source, state, attempts, expected, missing,"
            " settled_at, last_error) SELECT d, 'simulated', 'complete', 1, 0, 0, %s, ''"
            " FROM unnest(%s::date[]) d",
            [now - timedelta(minutes=1), days[:-1]],
        )
        root.execute("VACUUM ANALYZE")
