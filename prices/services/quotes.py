"""The latest quotes, taken from the current source."""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from kernel.errors import Invalid
from prices.csv_rows import error_at
from prices.models import MANUAL, Instrument, Quote
from prices.quotes_csv import read_quotes
from prices.running import running
from prices.selectors import priced_instruments
from prices.services.fetching import ask, one_fetch
from prices.services.publishing import publish_changed
from prices.sessions import is_open
from prices.sources import PriceSource, SourceQuote, SourceUnavailable, source

# A streamed price older than this is asked for by the minute's refresh, too. Well below the minute,
# or what one refresh asked for itself would look streamed to the next.
STREAM_SILENT_AFTER = timedelta(seconds=30)
# Longer than some charts of closes take (`close_fetching.AT_ONCE`), between which a refresh has its
# turn.
WAIT_SECONDS = 15.0
# At most so many instruments at once: what was answered is kept while others are asked for.
AT_ONCE = 100
# Longer than the time between two refreshes, so that none turns stale unnoticed between them.
STALE_LOOKED_FOR = timedelta(seconds=150)


def quotes_refresh(*, now: datetime) -> int:
    """Ask the current source and keep what is newer than what is known; how many changed.

    Does nothing while the exchange is closed, unless the source ticks at any hour. Where prices
    are streamed, asks only for those that the stream was silent about. Raises SourceUnavailable
    when the source cannot be asked, or not for all; the last quotes stay.
    """
    current = source()
    if not current.ticks_at_any_hour and not is_open(now):
        return 0
    instruments = priced_instruments(now)
    if current.ticks_at_any_hour:
        return quotes_take(current, instruments, now=now)
    try:
        clock = running(now)
        with one_fetch(wait_seconds=WAIT_SECONDS):
            turn = clock()
            lacking = _not_streamed(instruments, current.name, turn)
            return quotes_take(current, lacking, now=turn)
    finally:
        _tell_of_staleness(instruments, current.name, now)


def ticks_take(*, now: datetime) -> int:
    """`quotes_refresh`, but only for a source that ticks at any hour: real ones are asked once a
    minute, not each second."""
    return quotes_refresh(now=now) if source().ticks_at_any_hour else 0


def quotes_take(
    taken_from: PriceSource, instruments: Sequence[Instrument], *, now: datetime
) -> int:
    """Ask that source for these instruments whatever the hour; how many quotes changed. Raises
    SourceUnavailable, after keeping what was answered all the same; a failure of single instruments
    after all were asked for."""
    if taken_from.ticks_at_any_hour:
        return quotes_keep(taken_from.name, instruments, _ask(taken_from, instruments, now))
    clock = running(now)
    changed, partial = 0, None
    for some in _pieces(instruments):
        try:
            quotes = _ask(taken_from, some, clock())
        except SourceUnavailable as failure:
            changed += quotes_keep(taken_from.name, some, failure.quotes)
            if not failure.is_partial:
                raise
            partial = partial or failure
            continue
        changed += quotes_keep(taken_from.name, some, quotes)
    if partial is not None:
        raise partial
    return changed


def _ask(
    taken_from: PriceSource, some: Sequence[Instrument], now: datetime
) -> Sequence[SourceQuote]:
    return ask(taken_from, lambda: taken_from.quotes(some, now=now), now=now)


def _pieces(instruments: Sequence[Instrument]) -> Iterator[Sequence[Instrument]]:
    """Of about the same size: a rest of a few, all unknown, would look like trouble of the source's
    own."""
    if not instruments:
        return
    size = math.ceil(len(instruments) / math.ceil(len(instruments) / AT_ONCE))
    for start in range(0, len(instruments), size):
        yield instruments[start : start + size]


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


def _not_streamed(
    instruments: Sequence[Instrument], name: str, now: datetime
) -> Sequence[Instrument]:
    if not settings.PRICE_STREAM:
        return instruments
    recent = Quote.objects.filter(source=name, as_of__gt=now - STREAM_SILENT_AFTER)
    streamed = set(recent.values_list("instrument_id", flat=True))
    return [instrument for instrument in instruments if instrument.pk not in streamed]


def _tell_of_staleness(instruments: Iterable[Instrument], name: str, now: datetime) -> None:
    """Who watches learns of changes only, and a price turns stale without one."""
    limit = now - timedelta(seconds=settings.PRICE_STALE_AFTER_SECONDS)
    turned = Quote.objects.filter(
        instrument__in=[instrument.pk for instrument in instruments],
        source=name,
        as_of__range=(limit - STALE_LOOKED_FOR, limit),
    )
    publish_changed(turned.values_list("instrument_id", flat=True))


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
