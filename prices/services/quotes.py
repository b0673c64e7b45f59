"""The latest quotes, taken from the current source."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from prices.models import Instrument
from prices.selectors import priced_instruments
from prices.services.publishing import publish_changed
from prices.sessions import is_open
from prices.sources import PriceSource, SourceQuote, source


def quotes_refresh(*, now: datetime) -> int:
    """Ask the current source and keep what is newer than what is known; how many changed.

    Does nothing while the exchange is closed, unless the source ticks at any hour. Raises
    SourceUnavailable when the source cannot be asked; the last quotes stay.
    """
    current = source()
    if not current.ticks_at_any_hour and not is_open(now):
        return 0
    return quotes_take(current, priced_instruments(now), now=now)


def ticks_take(*, now: datetime) -> int:
    """`quotes_refresh`, but only for a source that ticks at any hour: real ones are asked once a
    minute, not each second."""
    return quotes_refresh(now=now) if source().ticks_at_any_hour else 0


def quotes_take(
    taken_from: PriceSource, instruments: Sequence[Instrument], *, now: datetime
) -> int:
    """Ask that source for these instruments whatever the hour; how many quotes changed."""
    ids = {instrument.ticker: instrument.pk for instrument in instruments}
    quotes = [q for q in taken_from.quotes(instruments, now=now) if q.price > 0]
    with transaction.atomic():
        changed = _upsert(taken_from.name, ids, quotes)
        publish_changed(changed)
    return len(changed)


def _upsert(name: str, ids: dict[str, int], quotes: Sequence[SourceQuote]) -> list[int]:
    """Write in one statement; the instrument ids of those that were newer. Rows go in the order
    of ids, so that two refreshes at once wait for each other instead of locking crosswise."""
    rows = sorted((ids[q.ticker], q.price, q.as_of) for q in quotes)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO prices_quote AS known (instrument_id, source, price, as_of)
            SELECT new.instrument_id, %(source)s, new.price, new.as_of
              FROM unnest(%(ids)s::bigint[], %(prices)s::numeric[], %(times)s::timestamptz[])
                   WITH ORDINALITY AS new (instrument_id, price, as_of, place)
             ORDER BY new.place
                ON CONFLICT (instrument_id, source) DO UPDATE
               SET price = excluded.price, as_of = excluded.as_of
             WHERE excluded.as_of > known.as_of
            RETURNING instrument_id
            """,
            {
                "source": name,
                "ids": [row[0] for row in rows],
                "prices": [row[1] for row in rows],
                "times": [row[2] for row in rows],
            },
        )
        return [int(row[0]) for row in cursor.fetchall()]
