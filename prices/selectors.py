"""Which instruments are priced, and which prices are missing."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime

from django.conf import settings
from django.db.models import Q
from django.utils.module_loading import import_string

from prices.models import Close, Instrument, PriceOverride

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


def active_overrides(now: datetime, instruments: Iterable[int]) -> dict[int, PriceOverride]:
    """The override in force for each instrument that has one, by instrument id."""
    found = (
        PriceOverride.objects.filter(
            instrument_id__in=list(instruments), ended_at__isnull=True, expires_at__gt=now
        )
        .select_related("user")
        .order_by("id")
    )
    return {override.instrument_id: override for override in found}
