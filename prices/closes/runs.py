"""The life of a session's closes: claimed, asked for, settled. Every step is durable."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q

from prices.actions.carried import carried_over
from prices.closes.close_schedule import (
    GAPS_EVERY,
    RETRY_EVERY,
    next_attempt,
    next_reading,
    reading_retry,
)
from prices.closes.effective_close import source_params
from prices.closes.read import missing_closes, sessions_to_ask
from prices.models import CARRIED, Close, CloseRun, Instrument
from prices.notify import closes_written
from prices.selectors import priced_instruments
from prices.sessions import sessions

State = CloseRun.State


@dataclass(frozen=True)
class Claimed:
    """A session whose turn has come: it is read again as a whole, or only for what it lacks."""

    session: date
    reads_all: bool


def runs_open(*, days: Iterable[date], source: str, now: datetime, is_begun: bool = False) -> None:
    """Make the runs that these sessions lack: due now or, with `is_begun`, by the caller's attempt,
    so that others have their turn only if that one comes to nothing."""
    opened: dict[str, Any] = {"next_attempt_at": now}
    if is_begun:
        opened = {"attempts": 1, "last_attempt_at": now, "next_attempt_at": now + RETRY_EVERY}
    CloseRun.objects.bulk_create(
        [CloseRun(session=day, source=source, **opened) for day in days], ignore_conflicts=True
    )


def runs_claim(*, now: datetime, source: str, instruments: Sequence[Instrument]) -> list[Claimed]:
    """The runs of `sessions_to_ask` whose turn it is, each taken by this caller alone.

    1. A session without a run gets one, due at once.
    2. Due are: pending runs at their next attempt, or when whoever made the last one died of it;
       settled ones at their next reading, or when they lack a close 10 minutes after the last.
    3. Each is taken by a conditional write, which counts the attempt. Whoever comes second finds
       it taken; who dies after it leaves the next attempt to others.
    """
    days = sessions_to_ask(now)
    runs_open(days=days, source=source, now=now)
    due = _due(now=now, source=source, instruments=instruments, days=days)
    return [claimed for run in due if (claimed := _take(run, now))]


def runs_are_due(*, now: datetime, source: str, instruments: Sequence[Instrument]) -> bool:
    """True if `runs_claim` would find any."""
    days = sessions_to_ask(now)
    known = CloseRun.objects.filter(session__in=days, source=source).count()
    return known < len(days) or bool(
        _due(now=now, source=source, instruments=instruments, days=days)
    )


def _due(
    *, now: datetime, source: str, instruments: Sequence[Instrument], days: Sequence[date]
) -> list[CloseRun]:
    lacking = missing_closes(instruments, days, source)
    waited = Q(last_attempt_at__lte=now - GAPS_EVERY)
    due = (
        Q(next_attempt_at__lte=now)
        | (Q(state=State.PENDING, next_attempt_at=None) & (waited | Q(last_attempt_at=None)))
        | (waited & ~Q(state=State.PENDING) & Q(session__in=lacking))
    )
    return list(CloseRun.objects.filter(due, session__in=days, source=source).order_by("session"))


def _take(run: CloseRun, now: datetime) -> Claimed | None:
    is_turn = run.next_attempt_at is not None and run.next_attempt_at <= now
    is_settled = run.state != State.PENDING
    if not is_settled:
        later = next_attempt(run.session, run.attempts + 1, now)
    elif is_turn:
        following = sessions().next_session(run.session)
        later = next_reading(run.session, following, now) or reading_retry(now)
    else:
        later = run.next_attempt_at  # only a gap is filled now; the reading is still to come
    taken = CloseRun.objects.filter(pk=run.pk, attempts=run.attempts, state=run.state).update(
        attempts=F("attempts") + 1, last_attempt_at=now, next_attempt_at=later
    )
    return Claimed(run.session, reads_all=is_settled and is_turn) if taken else None


@transaction.atomic
def runs_settle(
    *,
    days: Iterable[date],
    now: datetime,
    source: str,
    error: str = "",
    is_last: bool | None = None,
) -> list[CloseRun]:
    """Write down what these sessions have and lack, and settle those that are done with.

    Complete: no priced instrument lacks a close. Carried: the last retry is over, by its schedule
    or as `is_last` says; what lacks one gets its last close. A second call changes nothing. Locks
    the runs by session.
    """
    instruments = priced_instruments(now)
    if not instruments:
        return []
    runs = list(
        CloseRun.objects.select_for_update()
        .filter(session__in=list(days), source=source)
        .order_by("session")
    )
    lacking = missing_closes(instruments, [run.session for run in runs], source)
    for run in runs:
        missing = lacking.get(run.session, [])
        run.expected, run.missing, run.last_error = len(instruments), len(missing), error[:200]
        ends = run.next_attempt_at is None if is_last is None else is_last
        _settle(run, missing, now, is_last=ends)
        run.save()
    return runs


def _settle(run: CloseRun, missing: Sequence[Instrument], now: datetime, *, is_last: bool) -> None:
    following = sessions().next_session(run.session)
    if not missing and run.state != State.COMPLETE:
        run.settled_at = run.settled_at or now
        run.next_attempt_at = next_reading(run.session, following, now)
        run.state = State.COMPLETE
    elif missing and run.state == State.PENDING and is_last:
        closes_carry(session=run.session, instruments=missing)
        run.settled_at, run.state = now, State.CARRIED
        run.next_attempt_at = next_reading(run.session, following, now)


def runs_reread(*, days: Iterable[date], now: datetime, source: str) -> None:
    """Note that all closes of these claimed sessions were read again; the next time is as planned,
    not as after a failure."""
    for run in CloseRun.objects.filter(session__in=list(days), source=source):
        following = sessions().next_session(run.session)
        CloseRun.objects.filter(pk=run.pk).update(
            reread_at=now, next_attempt_at=next_reading(run.session, following, now)
        )


@transaction.atomic
def closes_carry(*, session: date, instruments: Sequence[Instrument]) -> int:
    """Give these instruments the last effective close before the session, for want of one from
    the current source; how many had one. Those that were given one before keep it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT i.id, last.close, last.session
              FROM unnest(%(ids)s::bigint[]) AS i (id)
             CROSS JOIN LATERAL
                   eqtrade_effective_close_before(i.id, %(session)s, %(source)s) AS last
             WHERE NOT EXISTS (
                SELECT FROM prices_close
                 WHERE instrument_id = i.id AND session = %(session)s AND carried_for = %(source)s)
             ORDER BY i.id
            """,
            {
                "ids": [instrument.pk for instrument in instruments],
                "session": session,
                **source_params(),
            },
        )
        found = carried_over(cursor.fetchall(), session)
    Close.objects.bulk_create(
        Close(
            instrument_id=pk, session=session, source=CARRIED, close=close,
            carried_for=settings.PRICE_SOURCE,
        )
        for pk, close in found
    )  # fmt: skip
    closes_written((pk, session) for pk, _ in found)
    return len(found)
