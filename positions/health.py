"""Snapshots that are overdue, for people on duty."""

from datetime import date, datetime, timedelta

from positions.models import SnapshotRun
from positions.snapshots.take import sessions_without_run
from prices.closes.read import closes_state
from prices.sessions import sessions

# So long after the session's end, or after its closes were settled, it is due.
DUE_AFTER = timedelta(minutes=10)


def overdue_snapshots(now: datetime) -> list[date]:
    """Sessions that ended a while ago, whose closes are settled, and whose snapshot was begun and
    is not taken: a transaction stands open since, or no worker does it. Oldest first."""
    known = sessions()
    waiting = SnapshotRun.objects.filter(taken_at=None, begun_at__lt=now - DUE_AFTER)
    return [
        run.session
        for run in waiting.order_by("session")
        # A day that is no session any more (a closure entered since) has no snapshot to wait for.
        if known.is_session(run.session) and closes_state(run.session, now).is_settled
    ]


def unbegun_snapshots(now: datetime) -> list[date]:
    """Sessions that ended a while ago, and of which nobody has begun a snapshot. Oldest first."""
    known = sessions()
    return [
        day
        for day in sessions_without_run(known, now)
        if known.session_of(day).closes < now - DUE_AFTER
    ]
