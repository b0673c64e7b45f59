"""The cost of a booking and of a read of one account's positions at 10^5, 10^6, 5·10^6 entries."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from benchmarks.ground import ledger_ground
from benchmarks.report import Report

SIZES = [int(n) for n in os.environ.get("BENCH_SIZES", "100000,1000000,5000000").split(",")]
TIMES = 200


def measure(report: Report) -> None:
    with ledger_ground() as ground:
        from django.contrib.auth.models import User

        from accounts.models import Account
        from blotter.rows import position_rows, position_rows_as_of, today_at
        from kernel import clock
        from positions.projection import POSITIONS
        from prices.sessions import sessions
        from trades.ledger.shard_batch import drain
        from trades.models import LEDGER_SHARDS
        from trades.services.booking import trade_book
        from trades.terms import Booking

        user = User.objects.create_superuser("root")
        account = Account.objects.get(code="A1")

        def book() -> None:
            booking = Booking("A1", "T1", "buy", Decimal(1), Decimal(100))
            trade_book(user=user, booking=booking, now=clock.now())

        def live() -> None:
            position_rows(accounts=[account.pk], today=today_at(clock.now()))

        def ahead() -> None:
            """As while everybody books: one reader has what was booked above, the others not."""
            drain(POSITIONS, account.pk % LEDGER_SHARDS)
            live()

        def known_then() -> None:
            today = today_at(clock.now())
            day = sessions().session_on_or_before(datetime(2026, 2, 2, tzinfo=UTC).date())
            position_rows_as_of(
                accounts=[account.pk], session=day, today=today, known_at=clock.now()
            )

        reached, first = 0, ""
        for size in SIZES:
            ground.fill_trades(size - reached)
            reached = size
            ground.read_all()
            for name, job, times in (
                ("booking", book, TIMES),
                ("positions, live", live, TIMES // 4),
                ("positions, live, one reader ahead", ahead, TIMES // 4),
                ("positions, as of and known at", known_then, TIMES // 10),
            ):
                first = f"{name}, {SIZES[0]:,}"
                figure = f"{name}, {size:,}"
                report.add(
                    figure, _median_ms(job, times), "ms", beside=None if size == SIZES[0] else first
                )


def _median_ms(job: Callable[[], None], times: int) -> float:
    job()
    found = []
    for _ in range(times):
        started = time.perf_counter()
        job()
        found.append((time.perf_counter() - started) * 1000)
    return sorted(found)[len(found) // 2]
