"""Quotes are written where they are newer: a source's, and those loaded by hand."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection, transaction

from kernel.errors import Invalid
from prices.csv_rows import error_at
from prices.models import MANUAL, Instrument
from prices.notify import publish_changed
from prices.quotes.csv_file import read_quotes
from prices.sources import SourceQuote


def quotes_keep(name: str, instruments: Iterable[Instrument], quotes: Iterable[SourceQuote]) -> int:
    """Keep a source's quotes of these instruments where they are newer; how many changed."""
    ids = {instrument.ticker: instrument.pk for instrument in instruments}
    with transaction.atomic():
        changed = _upsert(name, ids, [quote for quote in quotes if quote.price > 0])
        publish_changed(changed)
    return len(changed)


def quotes_load(*, lines: Iterable[str], now: datetime) -> int:
    """Load quotes typed by hand, all or nothing; how many are newer than what was loaded before.

    They count before the source's of the same day. `lines` is CSV with the header
    `ticker,as_of,price`, each ticker once. Raises Invalid, by line.
    """
    rows, errors = read_quotes(lines)
    known = {i.ticker: i for i in Instrument.objects.filter(ticker__in={r.ticker for r in rows})}
    for row in rows:
        if row.ticker not in known:
            detail = f"The ticker {row.ticker!r} is not known."
            errors.append(error_at(row.line, "unknown_ticker", detail))
        elif row.as_of > now:
            errors.append(error_at(row.line, "in_future", "This time has not come yet."))
    if errors:
        raise Invalid(*sorted(errors, key=lambda e: int((e.attr or "line 0").split()[1])))
    quotes = [SourceQuote(row.ticker, row.price, row.as_of) for row in rows]
    return quotes_keep(MANUAL, known.values(), quotes)


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
