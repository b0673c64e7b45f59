"""Which instruments are priced, and which prices are missing."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime

from django.conf import settings
from django.db.models import Case, Q, SmallIntegerField, When
from django.utils.module_loading import import_string

from prices.marks import price_sources
from prices.models import Close, Instrument

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


def missing_closes(
    instruments: Sequence[Instrument], days: Sequence[date], source: str
) -> dict[date, list[Instrument]]:
    """The instruments without a close of that source, for each of the days that lacks any."""
    present = set(
        Close.objects.filter(session__in=days, source=source).values_list(
            "instrument_id", "session"
        )
    )
    lacking = {day: [i for i in instruments if (i.pk, day) not in present] for day in days}
    return {day: those for day, those in lacking.items() if those}


def counting_closes(instruments: Iterable[int], first: date, last: date) -> list[Close]:
    """The close that counts for each instrument and session that has one, by session and ticker:
    the best source's, and of that the one recorded last. Both ends are inclusive."""
    ranks = [When(source=name, then=rank) for rank, name in enumerate(price_sources())]
    return list(
        Close.objects.filter(
            instrument_id__in=list(instruments),
            session__range=(first, last),
            source__in=price_sources(),
        )
        .annotate(rank=Case(*ranks, output_field=SmallIntegerField()))
        .order_by("session", "instrument__ticker", "rank", "-recorded_at", "-id")
        .distinct("session", "instrument__ticker")
        .select_related("instrument")
    )


def instruments_found(search: str) -> list[Instrument]:
    """All instruments, or those whose ticker begins with `search` or whose name contains it."""
    found = Instrument.objects.order_by("ticker")
    if search:
        found = found.filter(Q(ticker__istartswith=search) | Q(name__icontains=search))
    return list(found)
