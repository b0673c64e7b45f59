"""Tickers by date: names change, and files of then have the names of then."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from kernel import prepared
from prices.models import Instrument


class Name(NamedTuple):
    """An instrument as a booking needs it: there are many, and rows of models are dear. `ticker`
    is the present one."""

    pk: int
    ticker: str
    is_active: bool
    inactive_since: date | None = None


class Former(NamedTuple):
    """A ticker of these dates; `first` None: ever since."""

    first: date | None
    last: date
    name: Name

    def covers(self, day: date) -> bool:
        return (self.first is None or self.first <= day) and day <= self.last


@dataclass(frozen=True, slots=True)
class Names:
    """Present and former meanings, by ticker."""

    present: Mapping[str, Name]
    former: Mapping[str, Sequence[Former]]

    def on(self, ticker: str, day: date) -> Name | None:
        """The meaning of the ticker on that day: a former meaning on the days that it had, else the
        present one."""
        for former in self.former.get(ticker, ()):
            if former.covers(day):
                return former.name
        return self.present.get(ticker)

    def knows(self, ticker: str) -> bool:
        return ticker in self.present or ticker in self.former

    def renamed(self, ticker: str) -> Former | None:
        """The last meaning of a ticker that has none now."""
        if ticker in self.present:
            return None
        return max(self.former.get(ticker, ()), key=lambda former: former.last, default=None)


_NAMED = """
    SELECT i.ticker, NULL::date AS first, NULL::date AS last,
           i.id, i.ticker, i.is_active, i.inactive_since
      FROM prices_instrument i WHERE i.ticker = ANY(%(tickers)s::text[])
     UNION ALL
    SELECT a.ticker, a.first, a.last, i.id, i.ticker, i.is_active, i.inactive_since
      FROM prices_instrumentalias a JOIN prices_instrument i ON i.id = a.instrument_id
     WHERE a.ticker = ANY(%(tickers)s::text[])
"""


def names_of(tickers: Iterable[str]) -> Names:
    """Everything that these tickers mean or meant, in one query."""
    present: dict[str, Name] = {}
    former: dict[str, list[Former]] = {}
    rows: list[Any] = prepared.rows(_NAMED, {"tickers": sorted(set(tickers))})
    for ticker, first, last, *values in rows:
        if last is None:
            present[ticker] = Name(*values)
        else:
            former.setdefault(ticker, []).append(Former(first, last, Name(*values)))
    return Names(present, former)


def instrument_on(ticker: str, day: date) -> Instrument | None:
    """The instrument that this ticker meant on that day; None when it meant none."""
    name = names_of([ticker]).on(ticker, day)
    return None if name is None else Instrument.objects.get(pk=name.pk)


def why_unknown(names: Names, ticker: str) -> str:
    """The reason why a ticker is not known, in words."""
    renamed = names.renamed(ticker)
    if renamed is None:
        return "This ticker is not known."
    return f"{ticker} is {renamed.name.ticker} after {renamed.last}."
