"""Two at once, on connections of their own, with real commits."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from prices.models import Close, Instrument, PriceOverride, Quote
from prices.services.close_fetching import closes_fetch
from prices.services.overrides import override_set
from prices.services.quotes import quotes_refresh, quotes_take
from prices.sources import SourceClose, SourceQuote
from tests.at_once import at_once


@pytest.fixture
def instruments(committed_db: object) -> list[Instrument]:
    return Instrument.objects.bulk_create(
        Instrument(ticker=f"T{n}", yahoo_symbol=f"T{n}", indices=["S&P 500"]) for n in range(50)
    )


def test_two_fetches_write_each_close_once(instruments: list[Instrument], now: datetime) -> None:
    counts = at_once(*[lambda: closes_fetch(now=now)] * 4)
    assert sum(c for c in counts if isinstance(c, int)) == 250, counts
    assert Close.objects.count() == 250


def test_refreshes_at_once_do_not_lock_each_other_out(
    instruments: list[Instrument], now: datetime
) -> None:
    counts = at_once(*[lambda: quotes_refresh(now=now)] * 6)
    assert all(isinstance(count, int) for count in counts), counts
    assert Quote.objects.count() == 50


class Backwards:
    """A source that answers in the opposite order."""

    name = "simulated"
    ticks_at_any_hour = True

    def __init__(self, *, backwards: bool) -> None:
        self._step = -1 if backwards else 1

    def quotes(self, instruments: Sequence[Instrument], *, now: datetime) -> list[SourceQuote]:
        return [SourceQuote(i.ticker, Decimal(1), now) for i in instruments][:: self._step]

    def closes(
        self, instruments: Sequence[Instrument], first: date, last: date, *, now: datetime
    ) -> list[SourceClose]:
        raise NotImplementedError


def test_the_order_of_answers_cannot_make_two_refreshes_deadlock(
    committed_db: object, now: datetime
) -> None:
    instruments = Instrument.objects.bulk_create(
        Instrument(ticker=f"T{n}", yahoo_symbol=f"T{n}") for n in range(1000)
    )

    def take(turn: int, *, backwards: bool) -> Callable[[], object]:
        moment = now + timedelta(seconds=2 * turn + backwards)
        return lambda: quotes_take(Backwards(backwards=backwards), instruments, now=moment)

    for turn in range(10):
        counts = at_once(take(turn, backwards=False), take(turn, backwards=True))
        assert all(isinstance(count, int) for count in counts), counts


def test_of_overrides_at_once_one_is_left(instruments: list[Instrument], now: datetime) -> None:
    user = User.objects.create_user("staff")

    def put(price: int) -> Callable[[], object]:
        return lambda: override_set(
            user=user, ticker="T1", price=Decimal(price), reason="Halted", now=now
        )

    results = at_once(*[put(price) for price in range(1, 6)])
    assert all(isinstance(result, PriceOverride) for result in results), results
    assert PriceOverride.objects.filter(ended_at=None).count() == 1
