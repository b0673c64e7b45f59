"""The day's prices: of one instrument a minute each, of many in few points."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings

from kernel import prepared
from prices.models import MANUAL
from prices.sessions import day_start

_MINUTE = timedelta(minutes=1)
LINE_EVERY = timedelta(minutes=10)


@dataclass(frozen=True)
class Point:
    at: datetime
    price: Decimal


def price_series(instrument: int, session: date) -> list[Point]:
    """The prices of one instrument on a session's date in New York, a minute each at most, oldest
    first; of a minute that has one by hand, that one. Empty for dates that are kept no more."""
    return _points([instrument], session, _MINUTE).get(instrument, [])


def price_lines(instruments: Collection[int], session: date) -> dict[int, list[Point]]:
    """The same of many by id, without those that have none: of each `LINE_EVERY` from midnight in
    New York on the last price."""
    return _points(instruments, session, LINE_EVERY)


def _points(
    instruments: Collection[int], session: date, every: timedelta
) -> dict[int, list[Point]]:
    start = day_start(session)
    found: dict[int, list[Point]] = {}
    rows = prepared.rows_planned(
        """
        SELECT DISTINCT ON (instrument_id, span) instrument_id, at, price
          FROM prices_pricepoint
         CROSS JOIN LATERAL date_bin(make_interval(secs => %(seconds)s), at, %(start)s) AS span
         WHERE instrument_id = ANY(%(instruments)s) AND source = ANY(%(sources)s)
           AND at >= %(start)s AND at < %(end)s
         ORDER BY instrument_id, span, at DESC, source = %(manual)s DESC
        """,
        {
            "seconds": every.total_seconds(),
            "start": start,
            "end": day_start(session + timedelta(days=1)),
            "instruments": list(instruments),
            "sources": [MANUAL, settings.PRICE_SOURCE],
            "manual": MANUAL,
        },
    )
    for instrument, at, price in rows:
        found.setdefault(instrument, []).append(Point(at, price))
    return found
