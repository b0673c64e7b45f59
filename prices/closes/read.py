"""Closes of keys, those that are missing, and how far a session's closes are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from django.conf import settings

from kernel import prepared
from prices.closes.effective_close import source_params
from prices.models import MANUAL, Close, CloseRun, Instrument
from prices.sessions import sessions

# Closes are asked for this many sessions back without being told to.
SESSIONS_BACK = 5


def missing_closes(
    instruments: Sequence[Instrument], days: Sequence[date], source: str
) -> dict[date, list[Instrument]]:
    """The instruments without a close of that source or by hand, for each day that lacks any."""
    present = set(
        Close.objects.filter(session__in=days, source__in=[MANUAL, source]).values_list(
            "instrument_id", "session"
        )
    )
    lacking = {day: [i for i in instruments if (i.pk, day) not in present] for day in days}
    return {day: those for day, those in lacking.items() if those}


def sessions_to_ask(now: datetime, *, carried: bool = False) -> list[date]:
    """The completed sessions whose closes the current source is asked for, oldest first.

    The last five, and each before them, back to the first that it was ever asked for, that nobody
    asked for or that is pending still: slept through. With `carried`, those whose last retry was in
    vain, too.
    """
    known = sessions()
    recent = known.completed_sessions(now, SESSIONS_BACK)
    runs = CloseRun.objects.filter(source=settings.PRICE_SOURCE)
    first = runs.order_by("session").first()
    if first is None or not recent:
        return recent
    settled = [CloseRun.State.COMPLETE] if carried else CloseRun.SETTLED
    done = set(runs.filter(state__in=settled).values_list("session", flat=True))
    before = known.sessions_between(first.session, recent[0] - timedelta(days=1))
    return [day for day in before if day not in done] + recent


class ClosesState(StrEnum):
    """The progress of one session's closes."""

    TRADING = "trading"  # it has not ended
    PENDING = "pending"  # some are missing, and asked for again
    COMPLETE = "complete"  # every instrument priced at the time has one
    OVER = "over"  # the last retry is over; what was missing has its last one, carried

    @property
    def is_settled(self) -> bool:
        """True when nothing more is waited for: rows that are written once may be written."""
        return self in (ClosesState.COMPLETE, ClosesState.OVER)


def closes_state(session: date, now: datetime) -> ClosesState:
    """The progress of a session's closes from the current source. Raises NoSession.

    Once settled it stays so. One that nobody asked for is pending, however long ago, for it will
    be asked for; only from before the source was ever asked for anything, it is over.
    """
    if now < sessions().session_of(session).closes:
        return ClosesState.TRADING
    run = CloseRun.objects.filter(session=session, source=settings.PRICE_SOURCE).first()
    if run is not None:
        return _STATES[CloseRun.State(run.state)]
    return ClosesState.PENDING if session in sessions_to_ask(now) else ClosesState.OVER


_STATES = {
    CloseRun.State.PENDING: ClosesState.PENDING,
    CloseRun.State.COMPLETE: ClosesState.COMPLETE,
    CloseRun.State.CARRIED: ClosesState.OVER,
}


@dataclass(frozen=True, slots=True)
class SessionClose:
    """`doubted_at` is when another close was held back that would take its place: then this one is
    only the last that was plausible. It is long ago for one whose session has no better."""

    close: Decimal
    source: str
    doubted_at: datetime | None = None


# Since when a close is doubted. What would rewrite a recorded one is news only for what was not
# final by then; one that moved too far is no close that was ever known.
DOUBTED_AT = """
    SELECT instrument_id, session,
           min(CASE kind WHEN 'moved' THEN to_timestamp(0) ELSE raised_at END) AS doubted_at
      FROM prices_closedoubt
     WHERE state = 'held' AND kind <> 'quote' AND source = %(source)s
     GROUP BY instrument_id, session
"""
# Each instrument at each day: a little more than the keys, found in one pass.
_CLOSES_AT = f"""
    SELECT c.instrument_id, c.session, c.close, c.source, d.doubted_at
      FROM eqtrade_effective_closes(%(days)s::date[], %(source)s) c
      LEFT JOIN ({DOUBTED_AT}) d ON d.instrument_id = c.instrument_id AND d.session = c.session
     WHERE c.instrument_id = ANY(%(ids)s::bigint[])
"""


def closes_at(keys: Iterable[tuple[int, date]]) -> dict[tuple[int, date], SessionClose]:
    """The effective close of each (instrument id, session); absent where there is none."""
    wanted = set(keys)
    if not wanted:
        return {}
    params = {
        "ids": sorted({instrument for instrument, _ in wanted}),
        "days": sorted({day for _, day in wanted}),
        **source_params(),
    }
    found = prepared.rows(_CLOSES_AT, params)
    return {
        (instrument, day): SessionClose(close, source, doubted_at)
        for instrument, day, close, source, doubted_at in found
        if (instrument, day) in wanted
    }
