"""A split held by many accounts: how long until every shard counts it, how long a checkpoint is
held for it, what bookings cost meanwhile; then entries of before the ex-date.

BENCH_HOLDERS accounts (10,000) hold the name.
"""

import os
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from statistics import median
from typing import Any
from unittest.mock import patch

from benchmarks.ground import ACCOUNTS, Ground, ledger_ground
from benchmarks.report import Report
from benchmarks.revalue import price

HOLDERS = int(os.environ.get("BENCH_HOLDERS", "10000"))
QUIET_SECONDS, LATE, ROUNDS = 3.0, 200, 25
SPLIT, OTHER = "T1", "T2"


def measure(report: Report) -> None:
    with ledger_ground() as ground:
        from django.contrib.auth.models import User

        from kernel import clock
        from pnl.activity.legs import work_do
        from pnl.models import ActionLeg
        from prices.sessions import sessions

        user = User.objects.create_superuser("root")
        known = sessions()
        today = known.business_date(clock.now())
        before = known.previous_session(today)
        price(ground, clock.now(), before)
        _fill(ground, known.previous_session(before))

        def book() -> None:
            _book(user, "A1", OTHER, today)

        _drain()
        quiet = _beside(book, lambda: time.sleep(QUIET_SECONDS))
        report.add("a booking, nothing decided: median", median(quiet), "ms")
        action = _proposed(user, today)
        with _held() as held:
            started = time.perf_counter()

            def decide() -> None:
                _confirm(user, action)
                work_do()

            beside = _beside(book, decide)
            report.add(
                f"a split of {HOLDERS:,} accounts: all shards", time.perf_counter() - started, "s"
            )
        report.add("a shard's checkpoint is held: longest", max(held), "s")
        if beside:
            report.add("a booking meanwhile: median", median(beside), "ms",
                       beside="a booking, nothing decided: median")  # fmt: skip
        assert ActionLeg.objects.filter(quantity=900).count() == HOLDERS
        _quoted_again(ground, clock.now())
        for many in (ACCOUNTS, HOLDERS):
            _totals(report, many)
        for name, title in ((OTHER, "another name"), (SPLIT, "the split one")):
            for number in range(LATE):
                _book(user, f"A{1 + number % ACCOUNTS}", name, before)
            report.add(f"{LATE} late entries of {title} are read", _drain(), "s",
                       beside=None if name == OTHER else f"{LATE} late entries of another name are"
                       " read")  # fmt: skip


def _book(user: Any, account: str, ticker: str, day: date) -> None:
    from kernel import clock
    from trades.services.booking import trade_book
    from trades.terms import Booking

    booking = Booking(account, ticker, "buy", Decimal(1), Decimal(100), day)
    trade_book(user=user, booking=booking, now=clock.now())


def _proposed(user: Any, on: date) -> Any:
    from prices.actions.record import action_propose
    from prices.actions.terms import Terms

    terms = Terms("split", SPLIT, on, keep_new=Decimal(10))
    return action_propose(user=user, terms=terms, reason="announced")


def _confirm(user: Any, action: Any) -> None:
    from prices.actions.record import action_confirm

    action_confirm(user=user, action_id=action.pk, version=1, reason="seen")


@contextmanager
def _held() -> Iterator[list[float]]:
    """The seconds of each shard's transaction."""
    from pnl.activity import legs

    found: list[float] = []
    whole = legs._work

    def timed(shard: int) -> int:
        started = time.perf_counter()
        changed = whole(shard)
        found.append(time.perf_counter() - started)
        return changed

    legs._work = timed
    try:
        yield found
    finally:
        legs._work = whole


def _quoted_again(ground: Ground, now: datetime) -> None:
    """Stale marks would send the rows that are acted on the long way. The split's is a tenth."""
    with ground.superuser() as root:
        root.execute(
            "UPDATE prices_quote SET as_of = %s, price = CASE WHEN instrument_id ="
            " (SELECT id FROM prices_instrument WHERE ticker = %s) THEN price / 10 ELSE price END",
            [now, SPLIT],
        )


def _totals(report: Report, accounts: int) -> None:
    """The live totals of so many accounts, and of the same as if nothing had been decided, in
    alternating rounds: this machine's speed changes by half within a minute."""
    from django.db import connection

    from kernel import clock
    from pnl.live.totals import live_totals

    with connection.cursor() as cursor:
        # As api has it.
        cursor.execute("SET plan_cache_mode = force_generic_plan")

    def seconds() -> float:
        started = time.perf_counter()
        live_totals(accounts=range(1, accounts + 1), now=clock.now())
        return (time.perf_counter() - started) * 1000

    def undecided() -> float:
        with patch("trades.ledger.legs.actions_counting", return_value=()):
            return seconds()

    for run in (undecided, seconds):
        run()
    found = [(undecided(), seconds()) for _ in range(ROUNDS)]
    name = f"live totals of {accounts:,} accounts"
    report.rounds(f"{name}, no action", [each[0] for each in found], "ms")
    report.rounds(f"{name}, after the split", [each[1] for each in found], "ms",
                  beside=f"{name}, no action")  # fmt: skip


def _drain() -> float:
    """The seconds until P&L's reader has everything."""
    from pnl.activity.projection import ACTIVITY
    from positions.projection import POSITIONS
    from trades.ledger.shard_batch import State, drain
    from trades.models import LEDGER_SHARDS

    started = time.perf_counter()
    for shard in range(LEDGER_SHARDS):
        for projection in (ACTIVITY, POSITIONS):
            while drain(projection, shard).state is State.MORE:
                pass
    return time.perf_counter() - started


def _beside(job: Callable[[], None], work: Callable[[], Any]) -> list[float]:
    """Milliseconds of each run of `job` in a process of its own while `work` is done here."""
    from django.db import connection

    connection.close()
    over, told = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(told[1], " ".join(_until(over[0], job)).encode())
        finally:
            os._exit(0)
    try:
        work()
    finally:
        os.write(over[1], b"x")
        os.close(told[1])
        found = b""
        while part := os.read(told[0], 65536):
            found += part
        os.waitpid(child, 0)
        for end in (*over, told[0]):
            os.close(end)
    return [float(milliseconds) for milliseconds in found.split()]


def _until(over: int, job: Callable[[], None]) -> Iterator[str]:
    job()
    while not select.select([over], [], [], 0)[0]:
        started = time.perf_counter()
        job()
        yield f"{(time.perf_counter() - started) * 1000:.3f}"


def _fill(ground: Ground, day: date) -> None:
    """Every account bought 100 of the name that splits, and of nine others, on that day: an entry
    of today would be a late one, whose correction is asked for apart."""
    with ground.superuser() as root:
        root.execute("SET session_replication_role = replica")
        root.execute(
            "INSERT INTO accounts_account (id, code, name, can_short, is_active)"
            " SELECT n, 'A' || n, '', true, true FROM generate_series(%s::int, %s::int) n",
            [ACCOUNTS + 1, HOLDERS],
        )
        root.execute(
            "INSERT INTO trades_ledgerentry (account_id, instrument_id, trade_date, quantity,"
            " notional, trades, trade_id, version, recorded_at)"
            " SELECT a, i, %s::date, 100, 10000, 1, gen_random_uuid(), 1, %s::date + time '15:00'"
            " FROM generate_series(1, %s::int) a, generate_series(1, 10) i",
            [day, day, HOLDERS],
        )
    ground.read_all()
    with ground.superuser() as root:
        root.execute("ANALYZE")
