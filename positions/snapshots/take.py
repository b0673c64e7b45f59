"""A snapshot holds the positions at a session's end, as known then. Taken late, it is the same.

1. After the session's end a run begins: its row draws a transaction id. An entry recorded by the
   end had drawn its own before, so its transaction is older.
2. Once the horizon has passed that id, all those transactions have ended: what is recorded up to
   the end can be seen whole, and nothing is added to it any more.
3. When the session's closes are settled, the rows are written in one transaction: sums of the
   entries dated up to the session and recorded up to its end, with the closes of that moment.

Each step finds by itself what is left to do, so a worker or beat that was down for days loses
nothing, and two at once write once (an advisory lock, and the run's own row).
"""

import logging
import time
from datetime import date, datetime

from django.db import connection, transaction

from kernel.clock import new_york
from kernel.database import lift_timeouts
from kernel.locks import Lock, try_transaction_lock
from positions.models import SnapshotRun
from prices.closes.effective_close import source_params
from prices.closes.read import closes_state
from prices.sessions import Sessions, sessions
from trades.ledger.epoch import refuse_another_cluster
from trades.ledger.legs import effective_positions
from trades.models import LedgerEntry

logger = logging.getLogger(__name__)

# A run waits this long for transactions that were open at the end; then the next run does.
PATIENCE_SECONDS = 2.0
_PAUSE_SECONDS = 0.05


def snapshots_work(*, now: datetime, patience: float = PATIENCE_SECONDS) -> list[date]:
    """Begin the runs of sessions that have ended, take what can be taken; the sessions taken,
    oldest first.

    Must not run inside a transaction. Raises AnotherCluster after an undeclared restore.
    """
    refuse_another_cluster()
    known = sessions()
    for day in sessions_without_run(known, now):
        _begin_run(known, day)
    taken = []
    for run in SnapshotRun.objects.filter(taken_at=None).order_by("session"):
        if not known.is_session(run.session):
            continue  # a closure entered since, or an extra session removed
        settled = closes_state(run.session, now).is_settled
        if settled and _horizon_passed(run, patience) and _take(run):
            taken.append(run.session)
    return taken


def sessions_without_run(known: Sessions, now: datetime) -> list[date]:
    """Completed sessions without a run: those after the last run, or from the one of the ledger's
    first entry on. Before that nothing was known, so nothing could be held."""
    completed = known.completed_sessions(now, 1)
    if not completed:
        return []
    last = SnapshotRun.objects.order_by("-session").first()
    if last is not None:
        return known.sessions_between(known.next_session(last.session), completed[-1])
    first = LedgerEntry.objects.order_by("id").first()
    if first is None:
        return []
    day = known.session_on_or_before(new_york(first.recorded_at).date())
    return known.sessions_between(day, completed[-1])


def _begin_run(known: Sessions, day: date) -> None:
    """Two at once: one of them finds it begun. Where this clock is ahead of the database's, the
    end has not come there, and nothing begins yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO positions_snapshotrun (session, ends_at, epoch)
            SELECT %(session)s, %(ends)s, (SELECT max(epoch) FROM trades_ledgerepoch)
             WHERE eqtrade_recorded_at() > %(ends)s
                ON CONFLICT (session) DO NOTHING
            """,
            {"session": day, "ends": known.session_of(day).closes},
        )


def _horizon_passed(run: SnapshotRun, patience: float) -> bool:
    """True if every transaction that was open at the end is over. Those of an earlier epoch are."""
    waited = 0.0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT epoch < (SELECT max(epoch) FROM trades_ledgerepoch)"
                " OR txid < pg_snapshot_xmin(pg_current_snapshot())"
                " FROM positions_snapshotrun WHERE id = %s",
                [run.pk],
            )
            if cursor.fetchone()[0]:
                return True
        if waited >= patience:
            logger.info("the snapshot of %s waits for open transactions", run.session)
            return False
        time.sleep(_PAUSE_SECONDS)
        waited += _PAUSE_SECONDS


def _take(run: SnapshotRun) -> bool:
    """Write the rows and close the run; False when somebody else does or did.

    The lock gives this transaction no id, so that it holds back no reader while it sums; the
    insertion alone has one.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        lift_timeouts(cursor)
        if not try_transaction_lock(Lock.SNAPSHOT_TAKE):
            return False
        if SnapshotRun.objects.get(pk=run.pk).taken_at is not None:
            return False
        positions_then, legs = effective_positions(
            run.session, "%(session)s", "%(ends)s", run.ends_at
        )
        cursor.execute(
            f"""
            WITH held AS MATERIALIZED (
                SELECT account_id, instrument_id, sum(quantity) AS quantity
                  FROM ({positions_then}) e
                 GROUP BY account_id, instrument_id HAVING sum(quantity) <> 0
            ), closes AS MATERIALIZED (
                -- None while its own is held back: a carried one would stand here for ever.
                SELECT c.instrument_id, c.close
                  FROM eqtrade_effective_closes(ARRAY[%(session)s::date], %(source)s) c
                 WHERE NOT EXISTS (
                    SELECT FROM prices_closedoubt d
                     WHERE d.instrument_id = c.instrument_id AND d.session = c.session
                       AND d.source = %(source)s AND d.state = 'held' AND d.kind = 'moved')
            ), moment AS MATERIALIZED (SELECT eqtrade_recorded_at() AS taken_at
            ), written AS (
                INSERT INTO positions_positionsnapshot
                       (session, account_id, instrument_id, quantity, close, taken_at)
                SELECT %(session)s, h.account_id, h.instrument_id, h.quantity, c.close, m.taken_at
                  FROM held h LEFT JOIN closes c USING (instrument_id) CROSS JOIN moment m
                RETURNING close
            )
            UPDATE positions_snapshotrun r
               SET taken_at = (SELECT taken_at FROM moment), rows = w.rows,
                   missing_closes = w.missing
              FROM (SELECT count(*) AS rows, count(*) FILTER (WHERE close IS NULL) AS missing
                      FROM written) w
             WHERE r.id = %(run)s
            RETURNING r.rows, r.missing_closes
            """,
            {
                "session": run.session,
                "ends": run.ends_at,
                **source_params(),
                **legs,
                "run": run.pk,
            },
        )
        rows, missing = cursor.fetchone()
    logger.info("snapshot of %s: %s rows, %s without a close", run.session, rows, missing)
    return True
