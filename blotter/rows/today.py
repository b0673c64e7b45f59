"""The moment that all rows of one answer share."""

from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings

from prices.sessions import sessions


@dataclass(frozen=True)
class Today:
    """The moment, business date and price source that all rows of one answer share."""

    now: datetime
    business_date: date
    price_source: str


def today_at(now: datetime) -> Today:
    return Today(now, sessions().business_date(now), settings.PRICE_SOURCE)
