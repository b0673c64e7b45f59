"""Prices from Yahoo by yfinance. A ticker without an answer is missing for now, nothing more."""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from kernel.money import round_source_price
from prices.models import Instrument
from prices.sources.base import SourceClose, SourceQuote, SourceUnavailable


class YahooSource:
    name = "yahoo"
    ticks_at_any_hour = False

    def quotes(self, instruments: Sequence[Instrument], *, now: datetime) -> list[SourceQuote]:
        frame = _download(instruments, period="1d", interval="1m")
        found = []
        for instrument in instruments:
            # The newest of a series is last; the tail may be NaN for names that did not trade.
            last = max(
                ((at, price) for at, price in _prices(frame, instrument) if at <= now),
                default=None,
            )
            if last is not None:
                at, price = last
                found.append(SourceQuote(instrument.ticker, round_source_price(price), at))
        return found

    def closes(
        self, instruments: Sequence[Instrument], first: date, last: date
    ) -> list[SourceClose]:
        # Yahoo's end is exclusive.
        frame = _download(
            instruments, start=str(first), end=str(last + timedelta(days=1)), interval="1d"
        )
        return [
            SourceClose(instrument.ticker, at.date(), round_source_price(price))
            for instrument in instruments
            for at, price in _prices(frame, instrument, keep_wall_clock=True)
            if first <= at.date() <= last
        ]


def _download(instruments: Sequence[Instrument], **wanted: str) -> Any:
    # Imported here: it brings pandas and a network stack that other sources never need.
    import yfinance

    try:
        # auto_adjust=False: adjusted prices change with each dividend, and are no closes.
        return yfinance.download(
            [instrument.yahoo_symbol for instrument in instruments],
            auto_adjust=False,
            group_by="ticker",
            progress=False,
            threads=False,
            **wanted,
        )
    except Exception as error:  # whatever its network stack raises: the source is away
        raise SourceUnavailable(f"Yahoo: {error}") from error


def _prices(
    frame: Any, instrument: Instrument, *, keep_wall_clock: bool = False
) -> Iterator[tuple[datetime, float]]:
    """The finite, positive prices of one instrument. Daily rows are stamped with their date."""
    if frame is None or frame.empty or instrument.yahoo_symbol not in frame.columns.levels[0]:
        return
    for stamp, price in frame[instrument.yahoo_symbol]["Close"].items():
        if math.isfinite(price) and price > 0:
            at: datetime = stamp.to_pydatetime()
            if not keep_wall_clock:
                at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
            yield at, float(price)
