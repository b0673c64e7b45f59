"""The day's prices: of one instrument a minute each, of many in few points."""

import threading
from collections.abc import Collection, Hashable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.conf import settings

from kernel import prepared
from kernel.money import plain
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


class Line(NamedTuple):
    """The minutes from midnight in New York on at which there are prices, and those as texts."""

    minutes: list[int]
    prices: list[str]


# More are picked out of the lines of all, which this process makes once for each new point: 500
# lines of a whole day take a third of a second.
_FEW = 32
_kept: tuple[Hashable, dict[int, Line]] | None = None
_lock = threading.Lock()


def price_lines(instruments: Collection[int], session: date) -> dict[int, Line]:
    """The prices of many by id, without those that have none: of each `LINE_EVERY` from midnight in
    New York on the last one."""
    if len(instruments) <= _FEW:
        return _lines(instruments, session)
    found = _lines_of_all(session)
    return {each: found[each] for each in instruments if each in found}


def _lines_of_all(session: date) -> dict[int, Line]:
    global _kept
    ((last,),) = prepared.rows("SELECT max(id) FROM prices_pricepoint")
    made_of = session, settings.PRICE_SOURCE, last
    # Who asks meanwhile waits, and makes none of their own.
    with _lock:
        if _kept is None or _kept[0] != made_of:
            _kept = made_of, _lines(None, session)
        return _kept[1]


def _lines(instruments: Collection[int] | None, session: date) -> dict[int, Line]:
    start = day_start(session)
    return {
        instrument: Line(
            [int((point.at - start).total_seconds()) // 60 for point in points],
            [plain(point.price) for point in points],
        )
        for instrument, points in _points(instruments, session, LINE_EVERY).items()
    }


def _points(
    instruments: Collection[int] | None, session: date, every: timedelta
) -> dict[int, list[Point]]:
    """Those of all instruments where none are named."""
    start = day_start(session)
    found: dict[int, list[Point]] = {}
    rows = prepared.rows_planned(
        """
        SELECT DISTINCT ON (instrument_id, span) instrument_id, at, price
          FROM prices_pricepoint
         CROSS JOIN LATERAL date_bin(make_interval(secs => %(seconds)s), at, %(start)s) AS span
         WHERE (%(instruments)s::bigint[] IS NULL
                OR instrument_id = ANY(%(instruments)s::bigint[])) AND source = ANY(%(sources)s)
           AND at >= %(start)s AND at < %(end)s
         ORDER BY instrument_id, span, at DESC, source = %(manual)s DESC
        """,
        {
            "seconds": every.total_seconds(),
            "start": start,
            "end": day_start(session + timedelta(days=1)),
            "instruments": None if instruments is None else list(instruments),
            "sources": [MANUAL, settings.PRICE_SOURCE],
            "manual": MANUAL,
        },
    )
    for instrument, at, price in rows:
        found.setdefault(instrument, []).append(Point(at, price))
    return found
