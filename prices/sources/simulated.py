"""Made-up prices that behave like real ones, for trying the system offline and at night.

A price is a pure function of seed, ticker, level, splits and time. So the same seed at the same
time gives the same price in every process; nothing is kept; and a session's close is the price at
its end, which is what the quotes before it approach.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType

from django.db.models import F

from kernel.clock import new_york
from kernel.money import round_source_price
from prices.models import CorporateActionVersion, Instrument
from prices.sessions import sessions
from prices.sources.base import SourceClose, SourceEvent, SourceQuote
from prices.sources.noise import uniform, walk

# USD; starts are spread evenly over the logarithms, so that cheap shares are as common as dear.
LOWEST_START, HIGHEST_START = 20.0, 900.0
# Over 24 hours by the clock; over the 1.45 days from one session to the next, 1.5%.
_DAILY_SPREAD = 0.0125
# Walks about a level that people know stay near it: their slowest turn takes 12 days.
_OCTAVES_AT_LEVELS = 10
# Each share is quoted once in so many seconds: busy ones every other second, quiet ones rarely.
_BUSIEST, _QUIETEST = 2, 20


Split = tuple[date, float, float]
"""Ex-date, and shares after : before."""
Splits = Callable[[], Mapping[int, Sequence[Split]]]


class SimulatedSource:
    """Quotes at any hour, some names in each second."""

    name = "simulated"
    ticks_at_any_hour = True
    left_out: Mapping[str, str] = MappingProxyType({})
    events: Sequence[SourceEvent] = ()

    def __init__(self, seed: int, splits: Splits = dict) -> None:
        self._seed = seed
        self._splits = splits

    def quotes(self, instruments: Sequence[Instrument], *, now: datetime) -> list[SourceQuote]:
        found, splits = [], self._splits()
        for instrument in instruments:
            seconds = self._quoted_at(instrument.ticker, int(now.timestamp()))
            price = self._price(instrument, seconds, splits)
            found.append(
                SourceQuote(instrument.ticker, price, datetime.fromtimestamp(seconds, UTC))
            )
        return found

    def closes(
        self, instruments: Sequence[Instrument], first: date, last: date, *, now: datetime
    ) -> list[SourceClose]:
        known = sessions()
        splits = self._splits()
        days = [known.session_of(day) for day in known.sessions_between(first, last)]
        return [
            SourceClose(
                instrument.ticker,
                session.date,
                self._price(instrument, int(session.closes.timestamp()), splits),
            )
            for session in days
            if session.closes <= now
            for instrument in instruments
        ]

    def _price(
        self, instrument: Instrument, seconds: int, splits: Mapping[int, Sequence[Split]]
    ) -> Decimal:
        key = f"{self._seed}|{instrument.ticker}"
        if instrument.simulated_level is not None:
            start = float(instrument.simulated_level)
            moved = walk(key, seconds, daily_spread=_DAILY_SPREAD, octaves=_OCTAVES_AT_LEVELS)
        else:
            share = uniform(self._seed, instrument.ticker, "start")
            start = LOWEST_START * (HIGHEST_START / LOWEST_START) ** share
            moved = walk(key, seconds, daily_spread=_DAILY_SPREAD)
        if of_it := splits.get(instrument.pk):
            day = new_york(datetime.fromtimestamp(seconds, UTC)).date()
            start *= math.prod(old / new for since, new, old in of_it if since <= day)
        return round_source_price(start * math.exp(moved))

    def _quoted_at(self, ticker: str, seconds: int) -> int:
        """The last second, not after `seconds`, in which the share was quoted: once in each
        stretch of its own length, at a second that differs from stretch to stretch."""
        share = uniform(self._seed, ticker, "rhythm")
        length = _BUSIEST + int(share * share * (_QUIETEST - _BUSIEST + 1))
        stretch = (seconds + int(share * length)) // length
        for index in (stretch, stretch - 1):
            begins = index * length - int(share * length)
            at = begins + int(uniform(self._seed, ticker, index) * length)
            if at <= seconds:
                return at
        raise AssertionError("the stretch before ended before this second")


def confirmed_splits() -> dict[int, list[Split]]:
    """The splits that count, by instrument id: what the simulated share is divided by."""
    found: dict[int, list[Split]] = {}
    counting = CorporateActionVersion.objects.filter(
        action__confirmed_version=F("version"), keep_new__gt=0
    ).exclude(keep_new=F("keep_old"))
    for instrument, day, new, old in counting.values_list(
        "action__instrument", "ex_date", "keep_new", "keep_old"
    ):
        found.setdefault(instrument, []).append((day, float(new), float(old)))
    return found
