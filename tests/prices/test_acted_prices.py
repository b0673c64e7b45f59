"""Prices across an ex-date: what is carried over it, what a source and a person say of it, and what
was set by hand before it."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from prices.actions.record import action_confirm, action_propose
from prices.actions.terms import Terms
from prices.closes.judge import far_off_by_hand
from prices.closes.runs import closes_carry
from prices.closes.write import closes_record
from prices.last_price import last_prices
from prices.models import Close, CloseDoubt, Instrument, PriceOverride
from prices.quotes.write import quotes_keep
from prices.services.overrides import overrides_expire
from prices.sources import SourceQuote
from tests import factories as make

D = Decimal
WEDNESDAY, THURSDAY = date(2026, 1, 28), date(2026, 1, 29)


@pytest.fixture
def split(settings: Any, ibm: Instrument) -> Instrument:
    """10:1 on Thursday; it closed at 100 on Wednesday."""
    settings.PRICE_SOURCE = "yahoo"
    user = make.make_user("office")
    terms = Terms("split", "IBM", THURSDAY, keep_new=D(10))
    action = action_propose(user=user, terms=terms, reason="announced")
    action_confirm(user=user, action_id=action.pk, version=1, reason="seen")
    make.make_close(ibm, WEDNESDAY, "100", "yahoo")
    return ibm


def test_a_close_is_carried_over_it_as_the_reference(split: Instrument) -> None:
    assert closes_carry(session=THURSDAY, instruments=[split]) == 1
    assert Close.objects.get(session=THURSDAY).close == 10
    assert closes_carry(session=THURSDAY + timedelta(days=1), instruments=[split]) == 1
    assert Close.objects.get(session=THURSDAY + timedelta(days=1)).close == 10


@pytest.mark.parametrize(("price", "is_held"), [("10.5", False), ("104", True)])
def test_a_close_is_compared_in_the_terms_of_its_day(
    split: Instrument, now: datetime, price: str, is_held: bool
) -> None:
    rows = [(split.pk, THURSDAY, D(price))]
    assert bool(far_off_by_hand(rows)) is is_held
    assert closes_record(rows, "yahoo", only_missing=True, now=now) == (not is_held)
    assert CloseDoubt.objects.exists() is is_held


@pytest.mark.parametrize(("price", "is_held"), [("10.5", False), ("104", True)])
def test_a_quote_is_compared_in_the_terms_of_its_day(
    split: Instrument, price: str, is_held: bool
) -> None:
    at = datetime.fromisoformat("2026-01-29T15:00:00+00:00")
    quotes = [SourceQuote("IBM", D(price), at)]
    assert quotes_keep("yahoo", [split], quotes) == (not is_held)
    assert CloseDoubt.objects.exists() is is_held


def test_the_last_price_is_told_in_the_terms_of_today(split: Instrument) -> None:
    day = datetime.fromisoformat("2026-01-29T15:00:00+00:00")
    assert last_prices([split.pk], day) == {split.pk: [10]}
    assert last_prices([split.pk], day - timedelta(days=1)) == {split.pk: [100]}


def test_an_override_of_before_ends_with_it_and_a_later_one_does_not(split: Instrument) -> None:
    midnight = datetime.fromisoformat("2026-01-29T05:00:00+00:00")
    user, minute = make.make_user("setter"), timedelta(minutes=1)

    def active(now: datetime) -> int:
        overrides_expire(now=now)
        return PriceOverride.objects.filter(ended_at=None).count()

    for created, left in ((midnight - minute, 0), (midnight + minute, 1)):
        PriceOverride.objects.create(
            instrument=split, price=101, user=user, created_at=created, reason="halt",
            expires_at=midnight + timedelta(days=2),
        )  # fmt: skip
        assert active(created) == 1
        assert active(midnight + 2 * minute) == left
