"""A session's P&L becomes final when its closes are settled.

For each shard: 1. The session's run begins under the lock of the reader's checkpoint, for a moment.
From then on every batch asks for what it changes in that session to be restated; every batch
before is committed. 2. The rows are calculated in pieces, each one statement over what is committed
then; none before a key's first trade date, where it has nothing. 3. The run is closed, and the
session's P&L is read from its rows. Who dies between two steps leaves them to the next run; doing
them again writes what differs, so nothing.
"""

import logging
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from accounts.models import Account
from kernel.locks import Lock, session_lock, transaction_lock
from pnl.activity.projection import ACTIVITY
from pnl.daily.read import first_trade_date
from pnl.daily.write import PIECE_ROWS, Span, daily_write
from pnl.models import SessionRun
from prices.closes.read import SESSIONS_BACK, closes_state
from prices.models import CloseRun
from prices.sessions import Sessions, sessions
from trades.ledger import nudges
from trades.ledger.sql import BEYOND_CHECKPOINT
from trades.models import LEDGER_SHARDS, Checkpoint

logger = logging.getLogger(__name__)

# A reader that is further behind catches up first, so that trades booked in time are not shown as
# restated.
READER_BEHIND = timedelta(seconds=60)


def daily_finalize(*, now: datetime) -> int:
    """Calculate the sessions that are settled and have no P&L stored yet; the number of (session,
    shard) pairs that have it now; 0 while another process is at it. Must not run inside a
    transaction."""
    known = sessions()
    done = 0
    # The minute's next run would do the same work again, and hold back the readers twice as long.
    with session_lock(Lock.DAILY_PNL_FINALIZE) as is_alone:
        if not is_alone:
            return 0
        for shard, days in sorted(_due(known, now).items()):
            begun = _begin_runs(shard, days, known, now)
            if begun:
                done += _calculate(shard, begun, known, now)
    return done


def _due(known: Sessions, now: datetime) -> dict[int, list[date]]:
    """Sessions to calculate, by shard: those settled since the first trade date, not yet stored."""
    first = first_trade_date(Account.objects.values_list("pk", flat=True))
    completed = known.completed_sessions(now, 1)
    if first is None or not completed:
        return {}
    days = known.sessions_between(first, completed[-1])
    stored = set(
        SessionRun.objects.filter(session__gte=first, calculated_at__isnull=False).values_list(
            "session", "shard"
        )
    )
    lacking = {
        day: shards
        for day in days
        if (shards := [shard for shard in range(LEDGER_SHARDS) if (day, shard) not in stored])
    }
    due = defaultdict(list)
    for day in _settled(list(lacking), known, now):
        for shard in lacking[day]:
            due[shard].append(day)
    return due


def _settled(days: list[date], known: Sessions, now: datetime) -> list[date]:
    """The completed sessions among these whose closes are settled. One old trade date asks for
    thousands, so that only those of which it is not plain are asked for one by one."""
    runs = CloseRun.objects.filter(source=settings.PRICE_SOURCE).order_by("session")
    states = dict(runs.filter(session__in=days).values_list("session", "state"))
    # Before the source was asked for anything.
    long_ago = known.completed_sessions(now, SESSIONS_BACK)[0]
    if first := runs.first():
        long_ago = min(long_ago, first.session)

    def is_settled(day: date) -> bool:
        if states.get(day) in (CloseRun.State.COMPLETE, CloseRun.State.CARRIED):
            return True
        return day < long_ago or closes_state(day, now).is_settled

    return [day for day in days if is_settled(day)]


def _begin_runs(shard: int, days: list[date], known: Sessions, now: datetime) -> list[date]:
    """Begin the runs of those days for which the reader has all that was recorded by their end, and
    return these days."""
    Checkpoint.objects.get_or_create(consumer=ACTIVITY.name, shard=shard)
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM trades_checkpoint WHERE consumer = %s AND shard = %s FOR UPDATE",
            [ACTIVITY.name, shard],
        )
        oldest = _oldest_unread(cursor, shard)
        begun = [
            day
            for day in days
            if oldest is None or oldest > max(known.session_of(day).closes, now - READER_BEHIND)
        ]
        SessionRun.objects.bulk_create(
            (SessionRun(session=day, shard=shard, started_at=now) for day in begun),
            ignore_conflicts=True,
        )
    # A reader that met the lock has stopped.
    nudges.nudge(ACTIVITY.name, shard)
    return begun


def _oldest_unread(cursor: CursorWrapper, shard: int) -> datetime | None:
    """The time at which the oldest entry beyond the checkpoint was recorded."""
    cursor.execute(
        f"""
        SELECT min(e.recorded_at)
          FROM trades_checkpoint c
          JOIN trades_ledgerentry e ON e.shard = c.shard AND {BEYOND_CHECKPOINT}
         WHERE c.consumer = %s AND c.shard = %s
        """,
        [ACTIVITY.name, shard],
    )
    found: datetime | None = cursor.fetchone()[0]
    return found


def _calculate(shard: int, days: list[date], known: Sessions, now: datetime) -> int:
    rows = 0
    for spans, some in _pieces(_keys(shard), days):
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            transaction_lock(Lock.DAILY_PNL_WRITE)
            rows += daily_write(cursor, spans=spans, days=some, now=now, known=known)
    closed = SessionRun.objects.filter(
        shard=shard, session__in=days, calculated_at__isnull=True
    ).update(calculated_at=now)
    if rows:
        logger.info("shard %d: P&L of %d sessions is final, %d rows", shard, len(days), rows)
    return closed


# First trade date, account id, instrument id.
_Key = tuple[date, int, int]


def _keys(shard: int) -> list[_Key]:
    """The shard's keys in the order of their first trade dates."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(day), account_id, instrument_id FROM ("
            "  SELECT trade_date AS day, account_id, instrument_id FROM pnl_dailyactivity"
            "   WHERE account_id %% %s = %s"
            "   UNION ALL"
            "  SELECT ex_date, account_id, instrument_id FROM pnl_actionleg"
            "   WHERE account_id %% %s = %s) k"
            " GROUP BY account_id, instrument_id ORDER BY 1, 2, 3",
            [LEDGER_SHARDS, shard, LEDGER_SHARDS, shard],
        )
        found: list[_Key] = cursor.fetchall()
        return found


def _pieces(
    keys: Sequence[_Key], days: Sequence[date]
) -> Iterator[tuple[list[Span], Sequence[date]]]:
    """Keys and days that together are no more than a piece, and one key and one day at least. A
    day comes with the keys that had been traded by then, so that one old trade makes no work for
    all the others."""
    firsts = [key[0] for key in keys]
    start = 0
    while start < len(days):
        end = start + 1
        live = bisect_right(firsts, days[start])
        while end < len(days):
            then = bisect_right(firsts, days[end])
            if then * (end + 1 - start) > PIECE_ROWS:
                break
            live, end = then, end + 1
        some = days[start:end]
        for first in range(0, live, PIECE_ROWS):
            yield (
                [
                    Span(account, instrument, max(since, some[0]), some[-1])
                    for since, account, instrument in keys[first : min(live, first + PIECE_ROWS)]
                ],
                some,
            )
        start = end
