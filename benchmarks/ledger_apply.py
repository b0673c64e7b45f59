"""A backlog of 1,000,000 entries: drained by 1, 2 and 4 consumers, beside the bare statement.

Positions only. The bare statement is one INSERT … SELECT … GROUP BY over all entries, with no
checkpoint, no batches and no bounds. Row by row through the ORM is measured on 5,000 entries.
"""

import os
import time

from benchmarks.ground import Ground, ledger_ground
from benchmarks.report import Report

ENTRIES = int(os.environ.get("BENCH_ENTRIES", "1000000"))
ROW_BY_ROW = 5_000

BARE = """
    INSERT INTO positions_position (account_id, instrument_id, quantity, last_entry, updated_at)
    SELECT account_id, instrument_id, sum(quantity), max(id), clock_timestamp()
      FROM trades_ledgerentry GROUP BY account_id, instrument_id
"""


def measure(report: Report) -> None:
    with ledger_ground() as ground:
        ground.fill(ENTRIES)
        report.add("bare statement", ENTRIES / _bare(ground), "entries/s")
        for consumers in (1, 2, 4):
            ground.forget()
            rate = ENTRIES / _drained(consumers)
            _right(ground)
            report.add(
                f"drained by {consumers} consumers", rate, "entries/s", beside="bare statement"
            )
        ground.forget()
        report.add(
            "row by row through the ORM", ROW_BY_ROW / _row_by_row(), "entries/s",
            beside="bare statement",
        )  # fmt: skip


def _bare(ground: Ground) -> float:
    best = float("inf")
    for _ in range(3):
        ground.forget()
        with ground.superuser() as root:
            started = time.perf_counter()
            root.execute(BARE)
            best = min(best, time.perf_counter() - started)
    return best


def _drained(consumers: int) -> float:
    """Seconds until every shard is drained by that many processes, each going round all shards."""
    from django.db import connection

    connection.close()
    started = time.perf_counter()
    children = []
    for number in range(consumers):
        child = os.fork()
        if child == 0:
            _drain_all(number)
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    return time.perf_counter() - started


def _drain_all(first: int) -> None:
    from positions.projection import POSITIONS
    from trades.ledger.shard_batch import State, drain
    from trades.models import LEDGER_SHARDS

    left = {(first * 4 + n) % LEDGER_SHARDS: None for n in range(LEDGER_SHARDS)}
    while left:
        for shard in list(left):
            # In other hands: those will finish it.
            if drain(POSITIONS, shard).state in (State.DRAINED, State.BUSY):
                del left[shard]


def _right(ground: Ground) -> None:
    with ground.superuser() as root:
        row = root.execute(
            "SELECT (SELECT sum(quantity) FROM positions_position),"
            " (SELECT sum(quantity) FROM trades_ledgerentry),"
            " (SELECT count(*) FROM trades_checkpoint)"
        ).fetchone()
    assert row is not None
    assert row[0] == row[1], f"positions sum to {row[0]}, the ledger to {row[1]}"


def _row_by_row() -> float:
    from django.db import transaction
    from django.db.models import F

    from kernel import clock
    from positions.models import Position
    from trades.models import LedgerEntry

    entries = list(LedgerEntry.objects.order_by("id")[:ROW_BY_ROW])
    started = time.perf_counter()
    for entry in entries:
        with transaction.atomic():
            key = {"account_id": entry.account_id, "instrument_id": entry.instrument_id}
            row, made = Position.objects.select_for_update().get_or_create(
                **key,
                defaults={
                    "quantity": entry.quantity,
                    "last_entry": entry.pk,
                    "updated_at": clock.now(),
                },
            )
            if not made:
                Position.objects.filter(pk=row.pk).update(
                    quantity=F("quantity") + entry.quantity, last_entry=entry.pk
                )
    return time.perf_counter() - started
