"""Entry to position at 20 bookings a second, alone and beside a bulk writer that commits steadily.

Two consumers poll as workers do when nudged; the time counts from the booking's commit to the
commit that moved the position. The bulk writer commits 2,000 entries at a time, as an import does.
"""

import os
import threading
import time
import traceback
from collections.abc import Callable
from decimal import Decimal

from benchmarks.ground import Ground, ledger_ground
from benchmarks.report import Report

BOOKINGS = 200
PER_SECOND = 20
PIECE = 2_000


def measure(report: Report) -> None:
    with ledger_ground() as ground:
        from django.contrib.auth.models import User

        ground.fill(100_000)
        User.objects.create_superuser("root")
        report.spread("entry to position, alone", _latencies(ground, writer=False), "ms")
        report.spread(
            "entry to position, beside a bulk writer", _latencies(ground, writer=True), "ms",
            beside="entry to position, alone",
        )  # fmt: skip


def _latencies(ground: Ground, *, writer: bool) -> list[float]:
    """Milliseconds, one a booking. Reader and bulk writer are processes of their own."""
    from django.db import connection

    connection.close()
    stop_read, stop_write = os.pipe(), os.pipe()
    nudge_read, nudge_write = os.pipe()
    children = [_fork(lambda: _reader(nudge_read, stop_read[0]))]
    if writer:
        children.append(_fork(lambda: _bulk_writer(stop_write[0])))
    time.sleep(2.0)
    committed = _book(ground, nudge_write)
    time.sleep(3.0)
    for pipe in (stop_read, stop_write):
        os.write(pipe[1], b"x")
    os.write(nudge_write, b"x")
    for child in children:
        os.waitpid(child, 0)
    return committed


def _fork(job: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        # Never back into the parent's frames: they would stop the cluster.
        try:
            job()
        except BaseException:  # noqa: BLE001 - said, and the process ends here
            traceback.print_exc()
        finally:
            os._exit(0)
    return child


def _book(ground: Ground, nudge: int) -> list[float]:
    """Book at a steady pace in an account that the bulk writer leaves alone; watch its position
    from a second connection."""
    from django.contrib.auth.models import User

    from kernel import clock
    from trades.services.booking import trade_book
    from trades.terms import Booking

    user = User.objects.get(username="root")
    booked: list[float] = []
    seen: list[float] = []
    started = _count(ground)

    def watch() -> None:
        with ground.superuser() as root:
            deadline = time.perf_counter() + 60
            while len(seen) < BOOKINGS and time.perf_counter() < deadline:
                row = root.execute(
                    "SELECT quantity FROM positions_position WHERE account_id = 1"
                    " AND instrument_id = 1"
                ).fetchone()
                here = int(row[0]) if row else 0  # type: ignore[call-overload]
                now = time.perf_counter()
                seen.extend([now] * (here - started - len(seen)))
                time.sleep(0.0005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    begin = time.perf_counter()
    for number in range(BOOKINGS):
        time.sleep(max(0.0, begin + number / PER_SECOND - time.perf_counter()))
        booking = Booking("A1", "T1", "buy", Decimal(1), Decimal(100))
        trade_book(user=user, booking=booking, now=clock.now())
        booked.append(time.perf_counter())
        os.write(nudge, b"n")
    watcher.join()
    assert len(seen) == BOOKINGS, f"{len(seen)} of {BOOKINGS} bookings reached the position"
    return [(s - b) * 1000 for b, s in zip(booked, seen, strict=True)]


def _count(ground: Ground) -> int:
    from positions.projection import POSITIONS
    from trades.ledger.shard_batch import State, drain

    while drain(POSITIONS, 1, max_batches=1000).state is not State.DRAINED:
        pass
    with ground.superuser() as root:
        row = root.execute(
            "SELECT quantity FROM positions_position WHERE account_id = 1 AND instrument_id = 1"
        ).fetchone()
    return int(row[0]) if row else 0  # type: ignore[call-overload]


def _reader(nudges: int, stop: int) -> None:
    """Drain shard 1 whenever nudged, as a worker does."""
    from positions.projection import POSITIONS
    from trades.ledger.shard_batch import State, drain

    os.set_blocking(stop, False)
    while True:
        os.read(nudges, 4096)
        while drain(POSITIONS, 1).state in (State.MORE, State.WAITING):
            pass
        try:
            os.read(stop, 1)
        except BlockingIOError:
            continue
        return


def _bulk_writer(stop: int) -> None:
    """Commit pieces of 2,000 entries, one after the other, until told to stop."""
    from django.db import connection

    os.set_blocking(stop, False)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO trades_ledgerentry (account_id, instrument_id, trade_date, quantity,"
                " notional, trades, trade_id, version) SELECT 2 + n %% 60, 1 + n %% 500,"
                " current_date, 1, 1, 1, t.id, t.version FROM generate_series(1, %s) n,"
                " (SELECT id, version FROM trades_trade LIMIT 1) t",
                [PIECE],
            )
        try:
            os.read(stop, 1)
        except BlockingIOError:
            continue
        return
