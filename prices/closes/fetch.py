"""Asking the current source for closes: when they are due, and to catch up."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from time import sleep

from kernel.locks import POLL_SECONDS
from prices.actions.suggest import events_keep
from prices.closes.judge import CloseKey
from prices.closes.read import SESSIONS_BACK, missing_closes, sessions_to_ask
from prices.closes.runs import (
    runs_are_due,
    runs_claim,
    runs_open,
    runs_reread,
    runs_settle,
)
from prices.closes.write import closes_insert, closes_record
from prices.elapsed_clock import elapsed_clock
from prices.hooks import first_day_needed
from prices.models import Instrument
from prices.selectors import ever_priced_instruments, priced_instruments
from prices.sessions import sessions
from prices.sources import PriceSource, SourceClose, SourceUnavailable, source
from prices.sources.ask import ask, exclusive, left_alone_until

# Instruments asked for, and written, at once: what was answered is kept if the next fail.
AT_ONCE = 50
# The one who asks at a session's end would rather wait for a refresh than miss its turn.
WAIT_SECONDS = 30.0
# Longer than another waits between two looks at whether it may ask.
GIVE_WAY_SECONDS = 2 * POLL_SECONDS


@dataclass(frozen=True)
class Filled:
    """`new` closes were recorded for `days`; `missing` are lacking still, over all of them."""

    days: Sequence[date]
    new: int
    missing: int


def closes_work(*, now: datetime) -> int:
    """Fetch what is due (see `prices.closes.close_schedule`); how many closes are new or changed.
    Safe to run at any time and twice at once. A source that is left alone after a failure, or that
    somebody else is asking for long, keeps its turn. Raises SourceUnavailable."""
    current = source()
    instruments = priced_instruments(now)
    if not instruments or left_alone_until(current, now):
        return 0
    if not runs_are_due(now=now, source=current.name, instruments=instruments):
        return 0
    clock = elapsed_clock(now)
    # Only until they are claimed: a catch-up of minutes leaves refreshes of quotes their turns.
    with exclusive(current, wait_seconds=WAIT_SECONDS):
        claimed = runs_claim(now=now, source=current.name, instruments=instruments)
    again = {each.session: instruments for each in claimed if each.reads_all}
    days = [each.session for each in claimed]
    lacking = missing_closes(instruments, [d for d in days if d not in again], current.name)
    found = 0
    failure: SourceUnavailable | None = None
    for wanted, only_missing in ((lacking, True), (again, False)):
        try:
            found += _fetch(current, wanted, clock=clock, only_missing=only_missing)
        except SourceUnavailable as raised:
            failure = raised
            if not raised.is_partial:
                break
    answered = failure is None or failure.is_partial
    recent, older = _by_age(days, now)
    error = str(failure or "")
    runs_settle(days=recent, now=now, source=current.name, error=error)
    # Slept through: while the source cannot be asked at all, they have had no retry.
    is_last = None if answered else False
    runs_settle(days=older, now=now, source=current.name, error=error, is_last=is_last)
    if answered:
        runs_reread(days=again, now=now, source=current.name)
    if failure is not None:
        raise failure
    return found


def closes_fetch(*, now: datetime, sessions_back: int = SESSIONS_BACK) -> int:
    """Ask now for the closes that the last completed sessions lack; how many came.

    A second call finds nothing to do; two at once do not write twice. What the source does not
    have yet is asked for again when it is due. Raises SourceUnavailable.
    """
    return _fill(sessions().completed_sessions(now, sessions_back), now).new


def closes_recover(*, now: datetime) -> Filled:
    """Fill every session that was slept through, however long ago, or carried, and the last five.
    Raises SourceUnavailable; what nobody asked for yet is asked for when due then."""
    return _fill(sessions_to_ask(now, carried=True), now)


def closes_rebuild(*, now: datetime, first: date | None = None) -> Filled:
    """Read again every session since `first`, or since the one before the first trade, of every
    instrument that ever had a close; what differs is recorded. Raises SourceUnavailable."""
    known, current = sessions(), source()
    last = known.completed_sessions(now, 1)[-1]
    begin = first or _first_needed() or last
    days = known.sessions_between(begin, last)
    instruments = ever_priced_instruments(now)
    return _fill(days, now, again=dict.fromkeys(days, instruments), current=current)


def _first_needed() -> date | None:
    """The session whose closes the first trade's P&L needs."""
    named = [day for day in first_day_needed() if day is not None]
    return sessions().previous_session(min(named)) if named else None


def _fill(
    days: Sequence[date],
    now: datetime,
    *,
    again: Mapping[date, Sequence[Instrument]] | None = None,
    current: PriceSource | None = None,
) -> Filled:
    current = current or source()
    instruments = priced_instruments(now)
    recent, older = _by_age(days, now)
    runs_open(days=recent, source=current.name, now=now)
    runs_open(days=older, source=current.name, now=now, is_begun=True)
    try:
        wanted = missing_closes(instruments, days, current.name) if again is None else again
        new = _fetch(current, wanted, clock=elapsed_clock(now), only_missing=again is None)
    except SourceUnavailable as failure:
        runs_settle(days=days, now=now, source=current.name, error=str(failure), is_last=False)
        raise
    runs = runs_settle(days=older, now=now, source=current.name, is_last=True)
    runs += runs_settle(days=recent, now=now, source=current.name)
    return Filled(days, new, sum(run.missing for run in runs))


def _by_age(days: Sequence[date], now: datetime) -> tuple[list[date], list[date]]:
    """The days among the last sessions, and the older ones."""
    last = set(sessions().completed_sessions(now, SESSIONS_BACK))
    return [day for day in days if day in last], [day for day in days if day not in last]


def _fetch(
    asked_of: PriceSource,
    wanted: Mapping[date, Sequence[Instrument]],
    *,
    clock: Callable[[], datetime],
    only_missing: bool = True,
) -> int:
    """Ask for these closes, some instruments at a time, and append what is new or, unless
    `only_missing`, what differs; how many did. A failure of single instruments is raised after all
    were asked for."""
    if not wanted:
        return 0
    instruments = sorted({i for those in wanted.values() for i in those}, key=lambda i: i.ticker)
    keys = {(i.pk, day) for day, those in wanted.items() for i in those}
    count, partial = 0, None
    for number, some in enumerate(_chunks(instruments)):
        if number and not asked_of.ticks_at_any_hour:
            sleep(GIVE_WAY_SECONDS)
        ids = {instrument.ticker: instrument.pk for instrument in some}
        try:
            # Not in a transaction: a real source takes seconds.
            answers = _ask(asked_of, some, min(wanted), max(wanted), clock)
        except SourceUnavailable as failure:
            answers = failure.closes
            if not failure.is_partial:
                _record(asked_of, _rows(answers, ids, keys), only_missing, clock())
                raise
            partial = partial or failure
        count += _record(asked_of, _rows(answers, ids, keys), only_missing, clock())
        events_keep(asked_of.name, asked_of.events, ids)
    if partial is not None:
        raise partial
    return count


def _record(
    asked_of: PriceSource, rows: Sequence[CloseKey], only_missing: bool, now: datetime
) -> int:
    """Record closes: those that are made up here as they are, those of others once they are
    judged."""
    if asked_of.ticks_at_any_hour:
        return closes_insert(rows, asked_of.name, only_missing=only_missing)
    return closes_record(rows, asked_of.name, only_missing=only_missing, now=now)


def _ask(
    asked_of: PriceSource,
    some: Sequence[Instrument],
    first: date,
    last: date,
    clock: Callable[[], datetime],
) -> list[SourceClose]:
    """Ask the source while nobody else does. Between two of these calls a refresh of quotes has its
    turn."""
    with exclusive(asked_of, wait_seconds=WAIT_SECONDS):
        now = clock()
        return ask(asked_of, lambda: asked_of.closes(some, first, last, now=now), now=now)


def _rows(
    answers: Sequence[SourceClose], ids: Mapping[str, int], keys: set[tuple[int, date]]
) -> list[CloseKey]:
    return [
        (ids[answer.ticker], answer.session, answer.close)
        for answer in answers
        if (ids[answer.ticker], answer.session) in keys and answer.close > 0
    ]


def _chunks(instruments: Sequence[Instrument]) -> Iterator[Sequence[Instrument]]:
    for start in range(0, len(instruments), AT_ONCE):
        yield instruments[start : start + AT_ONCE]
