"""The day's prices of one instrument, a point a minute."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings

from prices.models import MANUAL, PricePoint
from prices.sessions import day_start


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
