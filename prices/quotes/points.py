"""The day's prices a minute each, for charts."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from kernel.clock import new_york
from prices.marks import SIMULATED
from prices.models import MANUAL, PricePoint
from prices.sessions import day_start, sessions

SESSIONS_KEPT = 5
# A little more than the time from one record to the next, so that no quote falls between two.
_SINCE = timedelta(seconds=90)
# Simulated prices also tick at night, when a chart needs fewer of them.
_AT_NIGHT_EVERY = 5


def points_record(*, now: datetime) -> int:
    """Keep the quotes of the last minute as points, the first of each minute; how many are new.
    Called once a minute; a second call adds nothing. Forgets what is too old, once an hour."""
    if new_york(now).minute == 0:
        _forget(now)
    if not sessions().is_open(now) and not (
        settings.PRICE_SOURCE == SIMULATED and now.minute % _AT_NIGHT_EVERY == 0
    ):
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO prices_pricepoint (instrument_id, source, at, price)
            SELECT instrument_id, source, date_trunc('minute', as_of), price
              FROM prices_quote
             WHERE source = ANY(%(sources)s) AND as_of > %(since)s AND as_of <= %(now)s
             ORDER BY instrument_id, source
                ON CONFLICT DO NOTHING
            """,
            {"sources": [MANUAL, settings.PRICE_SOURCE], "since": now - _SINCE, "now": now},
        )
        return int(cursor.rowcount)


def _forget(now: datetime) -> None:
    known = sessions()
    first = known.business_date(now)
    for _ in range(SESSIONS_KEPT - 1):
        first = known.previous_session(first)
    PricePoint.objects.filter(at__lt=day_start(first)).delete()
