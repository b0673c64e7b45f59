"""Which instruments are priced, and which prices are missing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from django.conf import settings
from django.db.models import Case, Exists, OuterRef, Q, SmallIntegerField, When
from django.utils.module_loading import import_string

from prices.counting import price_sources
from prices.models import MANUAL, Close, CloseRun, Instrument, PriceOverride, PricePoint
from prices.sessions import day_start, sessions

# How far back closes are asked for without being told to.
SESSIONS_BACK = 5

# Given the time, the ids of instruments that an app needs prices for. Higher apps name theirs in
# settings.PRICED_INSTRUMENT_SELECTORS, so that prices knows nothing of positions and trades.
PricedSelector = Callable[[datetime], Iterable[int]]


def priced_instruments(now: datetime) -> list[Instrument]:
    """Active members of any index, and whatever other apps ask for: what is held, what was traded
    of late. By ticker."""
    wanted: set[int] = set()
    for path in getattr(settings, "PRICED_INSTRUMENT_SELECTORS", []):
        selector: PricedSelector = import_string(path)
        wanted.update(selector(now))
    members = Q(is_active=True) & ~Q(indices=[])
    return list(Instrument.objects.filter(members | Q(pk__in=wanted)).order_by("ticker"))


def ever_priced_instruments(now: datetime) -> list[Instrument]:
    """Those that are priced, and those that once were and have a close. By ticker."""
    priced = {instrument.pk for instrument in priced_instruments(now)}
    closed = Q(Exists(Close.objects.filter(instrument=OuterRef("pk"))))
    return list(Instrument.objects.filter(closed | Q(pk__in=priced)).order_by("ticker"))


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
    """How far the closes of one session are."""

    TRADING = "trading"  # it has not ended
    PENDING = "pending"  # some are missing, and asked for again
    COMPLETE = "complete"  # every instrument priced at the time has one
    OVER = "over"  # the last retry is over; what was missing has its last one, carried

    @property
    def is_settled(self) -> bool:
        """Whether what is written once may be written: no more is waited for."""
        return self in (ClosesState.COMPLETE, ClosesState.OVER)


def closes_state(session: date, now: datetime) -> ClosesState:
    """How far the closes of a session from the current source are. Raises NoSession.

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


def counting_closes(instruments: Iterable[int], first: date, last: date) -> list[Close]:
    """The close that counts for each instrument and session that has one, by session and ticker:
    the best source's, and of that the one recorded last. Both ends are inclusive."""
    ranks = [When(source=name, then=rank) for rank, name in enumerate(price_sources())]
    return list(
        Close.objects.filter(
            instrument_id__in=list(instruments),
            session__range=(first, last),
            source__in=price_sources(),
            carried_for__in=["", settings.PRICE_SOURCE],
        )
        .annotate(rank=Case(*ranks, output_field=SmallIntegerField()))
        .order_by("session", "instrument__ticker", "rank", "-recorded_at", "-id")
        .distinct("session", "instrument__ticker")
        .select_related("instrument")
    )


def active_overrides(now: datetime, tickers: Iterable[str] | None = None) -> list[PriceOverride]:
    """The prices by hand that count now, at most one an instrument, by ticker; of these tickers or
    of all."""
    active = PriceOverride.objects.filter(ended_at=None, expires_at__gt=now)
    if tickers is not None:
        active = active.filter(instrument__ticker__in=list(tickers))
    return list(
        active.order_by("instrument__ticker", "-id")
        .distinct("instrument__ticker")
        .select_related("instrument", "user")
    )


def instruments_found(search: str) -> list[Instrument]:
    """All instruments, or those whose ticker begins with `search` or whose name contains it."""
    found = Instrument.objects.order_by("ticker")
    if search:
        found = found.filter(Q(ticker__istartswith=search) | Q(name__icontains=search))
    return list(found)


@dataclass(frozen=True)
class Point:
    at: datetime
    price: Decimal


def price_series(instrument: int, session: date) -> list[Point]:
    """The prices of one instrument on a session's date in New York, a minute each at most, oldest
    first; of a minute that has one by hand, that one. Empty for dates that are kept no more."""
    points = PricePoint.objects.filter(
        instrument_id=instrument,
        source__in=[MANUAL, settings.PRICE_SOURCE],
        at__gte=day_start(session),
        at__lt=day_start(session + timedelta(days=1)),
    )
    by_hand = {"source": MANUAL}
    found: dict[datetime, Point] = {}
    for row in [*points.exclude(**by_hand), *points.filter(**by_hand)]:
        found[row.at] = Point(row.at, row.price)
    return [found[at] for at in sorted(found)]
