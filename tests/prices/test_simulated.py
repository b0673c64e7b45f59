"""The simulated source: the same for the same seed and time, coherent, and plausible."""

import itertools
import math
import statistics
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from prices.models import Instrument
from prices.services.instruments import Listed, members_set
from prices.sessions import sessions
from prices.sources.levels import LEVELS
from prices.sources.noise import walk
from prices.sources.simulated import SimulatedSource

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 1, 31, 3, 0, tzinfo=UTC)  # at night, before a weekend
FEW = [Instrument(ticker=ticker) for ticker in ("AAPL", "IBM", "BRK.B")]
MANY = [Instrument(ticker=f"T{number}") for number in range(300)]


def test_same_seed_and_time_same_quotes() -> None:
    first = SimulatedSource(7).quotes(FEW, now=NOW)
    assert first == SimulatedSource(7).quotes(FEW, now=NOW)
    assert [q.ticker for q in first] == ["AAPL", "IBM", "BRK.B"]


def test_another_seed_gives_other_prices() -> None:
    ours = SimulatedSource(7).quotes(FEW, now=NOW)
    assert not {q.price for q in ours} & {q.price for q in SimulatedSource(8).quotes(FEW, now=NOW)}


def test_a_price_does_not_depend_on_who_else_is_asked_for() -> None:
    assert (
        SimulatedSource(7).quotes(FEW[1:2], now=NOW) == SimulatedSource(7).quotes(FEW, now=NOW)[1:2]
    )


def test_a_seed_gives_the_same_prices_for_ever() -> None:
    """Held, so that a restart with another version does not move every price of a demo."""
    quotes = SimulatedSource(1).quotes(FEW, now=NOW)
    assert [str(quote.price) for quote in quotes] == ["59.46", "105.10", "314.32"]


def test_quotes_are_never_later_than_now_nor_old() -> None:
    for second in range(60):
        now = NOW + timedelta(seconds=second)
        for quote in SimulatedSource(7).quotes(MANY, now=now):
            assert now - timedelta(seconds=40) < quote.as_of <= now


def test_time_never_runs_backwards_for_a_name() -> None:
    source, last = SimulatedSource(7), NOW - timedelta(minutes=1)
    for second in range(120):
        (quote,) = source.quotes(FEW[:1], now=NOW + timedelta(seconds=second))
        assert quote.as_of >= last
        last = quote.as_of


def test_some_names_move_each_second_and_by_little() -> None:
    source = SimulatedSource(7)
    before = {q.ticker: q for q in source.quotes(MANY, now=NOW)}
    after = {q.ticker: q for q in source.quotes(MANY, now=NOW + timedelta(seconds=1))}
    moved = [t for t in before if before[t].as_of != after[t].as_of]
    assert 0.1 < len(moved) / len(MANY) < 0.5
    for ticker in moved:
        assert abs(after[ticker].price / before[ticker].price - 1) < Decimal("0.003")


def test_closes_are_what_the_quotes_approach() -> None:
    source, session = SimulatedSource(7), sessions().session_of(date(2026, 1, 30))
    closes = {c.ticker: c.close for c in source.closes(MANY, session.date, session.date, now=NOW)}
    quotes = {q.ticker: q.price for q in source.quotes(MANY, now=session.closes)}
    gaps = [abs(quotes[t] / closes[t] - 1) for t in closes]
    assert max(gaps) < Decimal("0.003")
    assert statistics.median(gaps) < Decimal("0.0005")


def test_a_split_divides_prices_from_its_ex_date_on() -> None:
    """In New York: an hour before midnight there it is still the share of before."""
    ibm, kd = Instrument(pk=1, ticker="IBM"), Instrument(pk=2, ticker="KD")
    whole = SimulatedSource(7)
    split = SimulatedSource(7, lambda: {1: [(date(2026, 1, 30), 10.0, 1.0)]})
    midnight = datetime(2026, 1, 30, 5, 0, tzinfo=UTC)
    for now, ratio in ((midnight - timedelta(minutes=1), 1), (midnight + timedelta(minutes=1), 10)):
        (one, same), (other, also) = (s.quotes([ibm, kd], now=now) for s in (whole, split))
        assert abs(one.price - ratio * other.price) <= ratio * Decimal("0.01")
        assert same == also
    days = date(2026, 1, 29), date(2026, 1, 30)
    before, after = (
        [c.close for c in source.closes([ibm], *days, now=NOW)] for source in (whole, split)
    )
    assert before[0] == after[0]
    assert abs(before[1] - 10 * after[1]) <= Decimal("0.1")


def test_closes_come_for_sessions_only_both_ends_included() -> None:
    closes = SimulatedSource(7).closes(
        FEW[:1], date(2026, 1, 30), date(2026, 2, 3), now=NOW + timedelta(days=7)
    )
    assert [c.session for c in closes] == [date(2026, 1, 30), date(2026, 2, 2), date(2026, 2, 3)]


def test_prices_are_rounded_and_in_range() -> None:
    quotes = SimulatedSource(7).quotes(MANY, now=NOW)
    assert all(10 < q.price < 1800 for q in quotes)
    assert {q.price.as_tuple().exponent for q in quotes} == {-2}
    assert min(q.price for q in quotes) < 40
    assert max(q.price for q in quotes) > 500


def test_daily_volatility_is_about_one_and_a_half_percent() -> None:
    closes: dict[str, list[float]] = {}
    for close in SimulatedSource(7).closes(
        MANY[:60], date(2025, 7, 1), date(2025, 12, 31), now=NOW
    ):
        closes.setdefault(close.ticker, []).append(float(close.close))
    spreads = [
        statistics.pstdev(math.log(b / a) for a, b in itertools.pairwise(of))
        for of in closes.values()
    ]
    assert 0.012 < statistics.mean(spreads) < 0.018


def test_a_walk_spreads_with_the_root_of_time_and_stays_home() -> None:
    starts = range(1_700_000_000, 1_900_000_000, 777_777)

    def spread(seconds: int) -> float:
        return statistics.pstdev(
            walk("w", s + seconds, daily_spread=0.01) - walk("w", s, daily_spread=0.01)
            for s in starts
        )

    assert spread(86_400) == pytest.approx(0.01, rel=0.25)
    assert spread(60) == pytest.approx(0.01 * math.sqrt(60 / 86_400), rel=0.35)
    assert max(abs(walk("w", s, daily_spread=0.01)) for s in starts) < 0.5


def test_the_best_known_names_lie_near_what_people_expect_of_them() -> None:
    """Names and levels are listed as of late 2025; made-up prices stray, and come back."""
    assert len(LEVELS) == 50
    known = [Instrument(ticker=t, simulated_level=level) for t, level in LEVELS.items()]
    for source, days in itertools.product((SimulatedSource(1), SimulatedSource(7)), (0, 90, 400)):
        for quote in source.quotes(known, now=NOW + timedelta(days=days)):
            assert abs(quote.price / LEVELS[quote.ticker] - 1) < Decimal("0.15"), quote


def test_they_are_as_lively_as_the_others() -> None:
    known = [Instrument(ticker=t, simulated_level=level) for t, level in LEVELS.items()]
    closes: dict[str, list[float]] = {}
    for close in SimulatedSource(7).closes(known, date(2025, 7, 1), date(2025, 12, 31), now=NOW):
        closes.setdefault(close.ticker, []).append(float(close.close))
    spreads = [
        statistics.pstdev(math.log(b / a) for a, b in itertools.pairwise(of))
        for of in closes.values()
    ]
    assert 0.012 < statistics.mean(spreads) < 0.018


def test_new_instruments_get_a_level_and_known_ones_keep_their_history() -> None:
    """In a data directory of before, prices go on where they were."""
    Instrument.objects.create(ticker="AAPL", yahoo_symbol="AAPL")
    members_set([Listed("AAPL", "Apple"), Listed("IBM", "IBM"), Listed("T1", "Unknown")])
    found = dict(Instrument.objects.values_list("ticker", "simulated_level"))
    assert found == {"AAPL": None, "IBM": Decimal(308), "T1": None}
    (apple,) = SimulatedSource(1).quotes([Instrument.objects.get(ticker="AAPL")], now=NOW)
    assert str(apple.price) == "59.46"
