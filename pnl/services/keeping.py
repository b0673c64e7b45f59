"""Daily P&L is kept from when a session's closes are settled.

For each shard: 1. The session is marked under the lock of the reader's checkpoint, a moment's work.
From then on every batch asks for what it changes in that session to be restated; every batch
before is committed. 2. The rows are calculated in pieces, each one statement over what is committed
then. 3. The run is closed, and the session's P&L is read from its rows. Who dies between two steps
leaves them to the next run; doing them again writes what differs, so nothing.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from pnl.models import Holding, SessionRun
from pnl.projection import ACTIVITY
from pnl.services.writing import PIECE_ROWS, Span, daily_write, writer_lock
from prices.selectors import closes_state
from prices.sessions import Sessions, sessions
from trades import nudges
from trades.models import LEDGER_SHARDS, Checkpoint

logger = logging.getLogger(__name__)

# A reader that is further behind than this gets to catch up first, so that what was booked in time
# is not shown as restated.
READER_BEHIND = timedelta(seconds=60)


def daily_keep(*, now: datetime) -> int:
    """Calculate what is settled and not kept yet; the number of (session, shard) pairs that are
    kept now. Must not run inside a transaction."""
    known = sessions()
    done = 0
    for shard, days in sorted(_due(known, now).items()):
        marked = _mark(shard, days, known, now)
        if marked:
            done += _calculate(shard, marked, known, now)
    return done


def _due(known: Sessions, now: datetime) -> dict[int, list[date]]:
    """Sessions to keep, by shard: settled ones from the first trade date on that are not kept."""
    first = _first_trade_date()
    completed = known.completed_sessions(now, 1)
    if first is None or not completed:
        return {}
    days = known.sessions_between(first, completed[-1])
    kept = set(
        SessionRun.objects.filter(session__gte=first, calculated_at__isnull=False).values_list(
            "session", "shard"
        )
    )
    due = defaultdict(list)
    for day in days:
        lacking = [shard for shard in range(LEDGER_SHARDS) if (day, shard) not in kept]
        if lacking and closes_state(day, now).is_settled:
            for shard in lacking:
                due[shard].append(day)
    return due


def _first_trade_date() -> date | None:
    """One index probe an account."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(first) FROM (SELECT (SELECT min(trade_date) FROM pnl_dailyactivity"
            " WHERE account_id = a.id) AS first FROM accounts_account a) f"
        )
        found: date | None = cursor.fetchone()[0]
        return found


def _mark(shard: int, days: list[date], known: Sessions, now: datetime) -> list[date]:
    """Mark the days for which the reader has what was recorded by their end; those."""
    Checkpoint.objects.get_or_create(consumer=ACTIVITY.name, shard=shard)
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM trades_checkpoint WHERE consumer = %s AND shard = %s FOR UPDATE",
            [ACTIVITY.name, shard],
        )
        oldest = _oldest_unread(cursor, shard)
        marked = [
            day
            for day in days
            if oldest is None or oldest > max(known.session_of(day).closes, now - READER_BEHIND)
        ]
        SessionRun.objects.bulk_create(
            (SessionRun(session=day, shard=shard, started_at=now) for day in marked),
            ignore_conflicts=True,
        )
    # A reader that met the lock has stopped.
    nudges.nudge(ACTIVITY.name, shard)
    return marked


def _oldest_unread(cursor: Any, shard: int) -> datetime | None:
    """When the oldest entry beyond the checkpoint was recorded."""
    cursor.execute(
        """
        SELECT min(e.recorded_at)
          FROM trades_checkpoint c
          JOIN trades_ledgerentry e
            ON e.shard = c.shard AND (e.epoch, e.txid, e.id) > (c.epoch, c.txid, c.entry_id)
         WHERE c.consumer = %s AND c.shard = %s
        """,
        [ACTIVITY.name, shard],
    )
    found: datetime | None = cursor.fetchone()[0]
    return found


def _calculate(shard: int, days: list[date], known: Sessions, now: datetime) -> int:
    rows = 0
    for piece, some in _pieces(shard, days):
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            writer_lock(cursor, wait=True)
            spans = [Span(account, name, some[0], some[-1]) for account, name in piece]
            rows += daily_write(cursor, spans=spans, days=some, now=now, known=known)
    closed = SessionRun.objects.filter(
        shard=shard, session__in=days, calculated_at__isnull=True
    ).update(calculated_at=now)
    if rows:
        logger.info("shard %d: P&L of %d sessions is kept, %d rows", shard, len(days), rows)
    return closed


def _pieces(shard: int, days: list[date]) -> Iterator[tuple[list[tuple[int, int]], list[date]]]:
    """Keys and days that together are no more than a piece, and one key or one day at least."""
    keys = [
        key
        for key in Holding.objects.order_by("account_id", "instrument_id").values_list(
            "account_id", "instrument_id"
        )
        if key[0] % LEDGER_SHARDS == shard
    ]
    for start in range(0, len(keys), PIECE_ROWS):
        some = keys[start : start + PIECE_ROWS]
        step = max(1, PIECE_ROWS // len(some))
        for first in range(0, len(days), step):
            yield some, days[first : first + step]
