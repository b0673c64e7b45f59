"""The state of prices, for people on duty: freshness, coverage, and the source's failures."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings

from prices.closes.read import SESSIONS_BACK, sessions_to_ask
from prices.current_marks import marks
from prices.doubts.read import said as doubt_said
from prices.marks import Mark
from prices.models import CloseDoubt, CloseRun, SourceFailure, SourceState
from prices.selectors import priced_instruments
from prices.sessions import sessions
from prices.sources import source

# Closes that nobody has asked for so long after they were due: the asking itself does not run.
OVERDUE = timedelta(minutes=15)


@dataclass(frozen=True)
class Coverage:
    """`coverage` is the share of priced instruments that have a mark which is not stale. Ages are
    of marks, in seconds."""

    priced: int
    marked: int
    stale: int
    overridden: int
    carried: int
    doubtful: int
    coverage: float
    newest_age_seconds: float | None
    oldest_age_seconds: float | None


@dataclass(frozen=True)
class SourceHealth:
    """The current source's recent answers; `retry_at` is set while it is left alone."""

    last_attempt_at: datetime | None
    last_success_at: datetime | None
    fetch_seconds: float | None
    failures_in_a_row: int
    retry_at: datetime | None
    last_failure_at: datetime | None
    last_failure_kind: str | None
    last_failure: str | None
    failures: dict[str, int]
    stream_seen_at: datetime | None
    left_out: dict[str, str]


@dataclass(frozen=True)
class ClosesHealth:
    """One session's closes from the current source."""

    session: date
    state: str
    attempts: int
    expected: int
    missing: int
    next_attempt_at: datetime | None
    last_error: str


def coverage(now: datetime) -> Coverage:
    return coverage_of(marks(now, [i.pk for i in priced_instruments(now)]), now)


def coverage_of(found: list[Mark], now: datetime) -> Coverage:
    ages = [(now - m.mark_as_of).total_seconds() for m in found if m.mark_as_of is not None]
    marked = sum(m.mark is not None for m in found)
    stale = sum(m.stale and m.mark is not None for m in found)
    return Coverage(
        priced=len(found),
        marked=marked,
        stale=stale,
        overridden=sum(m.is_override for m in found),
        carried=sum(m.carried for m in found),
        doubtful=sum(m.doubtful for m in found),
        coverage=round((marked - stale) / len(found), 4) if found else 1.0,
        newest_age_seconds=min(ages, default=None),
        oldest_age_seconds=max(ages, default=None),
    )


def source_health() -> SourceHealth:
    name = source().name
    state = SourceState.objects.filter(source=name).first() or SourceState(source=name)
    failures = SourceFailure.objects.filter(source=name).order_by("kind")
    return SourceHealth(
        last_attempt_at=state.last_attempt_at,
        last_success_at=state.last_success_at,
        fetch_seconds=state.fetch_seconds,
        failures_in_a_row=state.failures_in_a_row,
        retry_at=state.retry_at,
        last_failure_at=state.last_failure_at,
        last_failure_kind=state.last_failure_kind or None,
        last_failure=state.last_failure or None,
        failures=dict(failures.values_list("kind", "count")),
        stream_seen_at=state.stream_seen_at,
        left_out=state.left_out,
    )


def closes_health(now: datetime) -> list[ClosesHealth]:
    """The last completed sessions, newest first; one that was never asked for is pending."""
    days = sessions().completed_sessions(now, SESSIONS_BACK)
    runs = {
        run.session: run
        for run in CloseRun.objects.filter(session__in=days, source=settings.PRICE_SOURCE)
    }
    return [
        ClosesHealth(
            session=day,
            state=run.state,
            attempts=run.attempts,
            expected=run.expected,
            missing=run.missing,
            next_attempt_at=run.next_attempt_at,
            last_error=run.last_error,
        )
        for day in reversed(days)
        for run in [runs.get(day) or CloseRun(session=day, source=settings.PRICE_SOURCE)]
    ]


def closes_late(now: datetime) -> list[date]:
    """Sessions whose closes are not asked for in time, newest first: each has its moments, and the
    first is at the session's end."""
    if not priced_instruments(now):
        return []
    return [
        each.session
        for each in closes_health(now)
        if each.state == CloseRun.State.PENDING
        and (each.next_attempt_at or sessions().session_of(each.session).closes) < now - OVERDUE
    ]


NAMED = 5


def doubt_problems(held: list[CloseDoubt]) -> list[str]:
    """Prices that are held back, in words: the first few by name."""
    if not held:
        return []
    more = f"; and {len(held) - NAMED} more" if len(held) > NAMED else ""
    return [
        f"Held back, {len(held)} to be released or refused on the prices page or in the admin: "
        + "; ".join(doubt_said(doubt) for doubt in held[:NAMED])
        + more
        + ". See docs/runbooks/doubtful-closes.md."
    ]


def price_problems(
    now: datetime,
    found: Coverage,
    answered: SourceHealth,
    closed: list[ClosesHealth],
) -> list[str]:
    """The problems of prices, in words that say what to do."""
    problems = []
    if sessions().is_open(now) and found.coverage < settings.PRICE_COVERAGE_MIN:
        problems.append(
            f"Prices: {found.stale} of {found.priced} are stale and"
            f" {found.priced - found.marked} missing; see docs/runbooks/prices.md."
        )
    elif found.marked < found.priced:
        problems.append(
            f"Prices: {found.priced - found.marked} of {found.priced} instruments have none;"
            " see docs/runbooks/prices.md."
        )
    if answered.left_out:
        said = "; ".join(f"{name} {why}" for name, why in sorted(answered.left_out.items()))
        problems.append(
            f"Yahoo answers {said}: left out. Its symbol names another listing; mend it in the"
            " admin (Instruments)."
        )
    if answered.retry_at is not None and answered.retry_at > now:
        problems.append(
            f"Prices: the source failed {answered.failures_in_a_row} times in a row"
            f" ({answered.last_failure_kind}); it is asked again at"
            f" {answered.retry_at:%H:%M:%S} UTC. {answered.last_failure}"
        )
    for each in closed:
        if each.missing and each.state == CloseRun.State.CARRIED:
            problems.append(
                f"Closes of {each.session}: {each.missing} of {each.expected} are carried from"
                " before; enter them in the admin, or run manage.py prices recover."
            )
        due = each.next_attempt_at
        if each.state == CloseRun.State.PENDING and due is not None and due < now - OVERDUE:
            problems.append(f"Closes of {each.session} were due at {due:%H:%M} UTC: is beat up?")
    return problems + _slept_through(now, {each.session for each in closed})


def _slept_through(now: datetime, listed: set[date]) -> list[str]:
    """Sessions from before those that are listed."""
    older = [day for day in sessions_to_ask(now) if day not in listed]
    if not older:
        return []
    if len(older) == 1:
        said = f"Closes of {older[0]} are"
    else:
        said = f"Closes of {len(older)} earlier sessions, {older[0]} to {older[-1]}, are"
    return [f"{said} still to be asked for; run manage.py prices recover to do so now."]
