"""The life of a session's closes: claimed, asked for, settled. Every step is durable."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction
from django.db.models import F, Q

from prices.closing import GAPS_EVERY, next_attempt, next_reading
from prices.marks import price_sources
from prices.models import CARRIED, Close, CloseRun, Instrument
from prices.selectors import SESSIONS_BACK, missing_closes, priced_instruments
from prices.services.publishing import closes_written
from prices.sessions import sessions

State = CloseRun.State


@dataclass(frozen=True)
class Claimed:
    """A session whose turn it is: to be read again as a whole, or only for what it lacks."""

    session: date
    reads_all: bool


def runs_open(*, days: Iterable[date], source: str, now: datetime, is_last: bool = False) -> None:
    """Make the runs that these sessions lack: due now or, with `is_last`, about to be settled by
    the one attempt that is being made."""
    CloseRun.objects.bulk_create(
        [
            CloseRun(session=day, source=source, next_attempt_at=None if is_last else now)
            for day in days
        ],
        ignore_conflicts=True,
    )


def runs_claim(*, now: datetime, source: str, instruments: Sequence[Instrument]) -> list[Claimed]:
    """The runs of the last sessions whose turn it is, each taken by this caller alone.

    1. A completed session without a run gets one, due at once.
    2. Due are: pending runs at their next attempt, or when whoever made the last one died of it;
       settled ones at their next reading, or when they lack a close 10 minutes after the last.
    3. Each is taken by a conditional write, which counts the attempt. Whoever comes second finds
       it taken; who dies after it leaves the next attempt to others.
    """
    days = sessions().completed_sessions(now, SESSIONS_BACK)
    runs_open(days=days, source=source, now=now)
    due = _due(now=now, source=source, instruments=instruments, days=days)
    return [claimed for run in due if (claimed := _take(run, now))]


def runs_are_due(*, now: datetime, source: str, instruments: Sequence[Instrument]) -> bool:
    """Whether `runs_claim` would find any."""
    days = sessions().completed_sessions(now, SESSIONS_BACK)
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
        | (waited & Q(state=State.PENDING, next_attempt_at=None))
        | (waited & ~Q(state=State.PENDING) & Q(session__in=lacking))
    )
    return list(CloseRun.objects.filter(due, session__in=days, source=source).order_by("session"))


def _take(run: CloseRun, now: datetime) -> Claimed | None:
    is_turn = run.next_attempt_at is not None and run.next_attempt_at <= now
    is_settled = run.state != State.PENDING
    if not is_settled:
        later = next_attempt(run.session, run.attempts + 1, now)
    elif is_turn:
        later = next_reading(run.session, sessions().next_session(run.session), now)
    else:
        later = run.next_attempt_at  # only a gap is filled now; the reading is still to come
    taken = CloseRun.objects.filter(pk=run.pk, attempts=run.attempts, state=run.state).update(
        attempts=F("attempts") + 1, last_attempt_at=now, next_attempt_at=later
    )
    return Claimed(run.session, reads_all=is_settled and is_turn) if taken else None


@transaction.atomic
def runs_settle(
    *, days: Iterable[date], now: datetime, source: str, error: str = "", carry: bool = True
) -> list[CloseRun]:
    """Write down what these sessions have and lack, and settle those that are done with.

    Complete: no priced instrument lacks a close. Carried: the last retry is over; what lacks one
    gets its last close (only with `carry`). A second call changes nothing. Locks the runs by
    session.
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
        _settle(run, missing, now, carry=carry)
        run.save()
    return runs


def _settle(run: CloseRun, missing: Sequence[Instrument], now: datetime, *, carry: bool) -> None:
    following = sessions().next_session(run.session)
    if not missing and run.state != State.COMPLETE:
        run.settled_at = run.settled_at or now
        run.next_attempt_at = next_reading(run.session, following, now)
        run.state = State.COMPLETE
    elif missing and run.state == State.PENDING and run.next_attempt_at is None and carry:
        closes_carry(session=run.session, instruments=missing)
        run.settled_at, run.state = now, State.CARRIED
        run.next_attempt_at = next_reading(run.session, following, now)


@transaction.atomic
def closes_carry(*, session: date, instruments: Sequence[Instrument]) -> int:
    """Give these instruments their last close before the session, source `carried`; how many had
    one. Those that were given one before keep it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT i.id, last.close
              FROM unnest(%(ids)s::bigint[]) AS i (id)
              JOIN LATERAL (
                SELECT close FROM prices_close
                 WHERE instrument_id = i.id AND session < %(session)s AND source = ANY(%(sources)s)
                 ORDER BY session DESC, array_position(%(sources)s, source::text),
                          recorded_at DESC, id DESC
                 LIMIT 1
              ) last ON true
             WHERE NOT EXISTS (
                SELECT FROM prices_close
                 WHERE instrument_id = i.id AND session = %(session)s AND source = %(carried)s)
             ORDER BY i.id
            """,
            {
                "ids": [instrument.pk for instrument in instruments],
                "session": session,
                "sources": price_sources(),
                "carried": CARRIED,
            },
        )
        found = cursor.fetchall()
    Close.objects.bulk_create(
        Close(instrument_id=pk, session=session, source=CARRIED, close=close) for pk, close in found
    )
    closes_written((pk, session) for pk, _ in found)
    return len(found)
