"""The latest quotes are asked of the current source."""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from django.conf import settings

from prices.elapsed_clock import elapsed_clock
from prices.models import Instrument, Quote
from prices.notify import publish_changed
from prices.quotes.write import quotes_keep
from prices.selectors import priced_instruments
from prices.sessions import sessions
from prices.sources import PriceSource, SourceQuote, SourceUnavailable, source
from prices.sources.ask import ask, one_fetch

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
    if not current.ticks_at_any_hour and not sessions().is_open(now):
        return 0
    instruments = priced_instruments(now)
    if current.ticks_at_any_hour:
        return quotes_take(current, instruments, now=now)
    try:
        clock = elapsed_clock(now)
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
    clock = elapsed_clock(now)
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
    """Pieces of about the same size: a small rest of unknown names would look like trouble of the
    source itself."""
    if not instruments:
        return
    size = math.ceil(len(instruments) / math.ceil(len(instruments) / AT_ONCE))
    for start in range(0, len(instruments), size):
        yield instruments[start : start + size]


def _not_streamed(
    instruments: Sequence[Instrument], name: str, now: datetime
) -> Sequence[Instrument]:
    if not settings.PRICE_STREAM:
        return instruments
    recent = Quote.objects.filter(source=name, as_of__gt=now - STREAM_SILENT_AFTER)
    streamed = set(recent.values_list("instrument_id", flat=True))
    return [instrument for instrument in instruments if instrument.pk not in streamed]


def _tell_of_staleness(instruments: Iterable[Instrument], name: str, now: datetime) -> None:
    """Tell watchers of prices that turn stale: they hear of changes only, and this is none."""
    limit = now - timedelta(seconds=settings.PRICE_STALE_AFTER_SECONDS)
    turned = Quote.objects.filter(
        instrument__in=[instrument.pk for instrument in instruments],
        source=name,
        as_of__range=(limit - STALE_LOOKED_FOR, limit),
    )
    publish_changed(turned.values_list("instrument_id", flat=True))
