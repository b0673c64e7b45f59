"""Stories of names that double, drop and spike, and of pence for dollars: what is held back until a
person or the next price says better, and each one's figures to the cent."""

from decimal import Decimal

import pytest

from kernel.clock import clock_set
from pnl.models import DailyPnl
from prices.models import Quote
from tests import factories as make
from tests.pnl.wrong_prices import (
    LAST_MINUTE,
    TUESDAY,
    WEDNESDAY,
    Story,
    story,
)

__all__ = ["story"]

D = Decimal


def test_a_name_that_doubles_waits_for_a_person(story: Story) -> None:
    story.quote(1210, TUESDAY, (14, 31))
    assert story.row() == (1210, 100, True, None)
    story.quote(2400, TUESDAY)
    assert story.row() == (1210, 100, False, "price_doubtful")
    assert story.doubts() == [("quote", 2400, 1210, "held")]
    story.quote(2410, TUESDAY, LAST_MINUTE)
    assert len(story.doubts()) == 1
    story.end_of(TUESDAY, 2400)
    story.late(TUESDAY)
    # Marked by the last good quote while it is the business date, never final.
    assert story.row() == (1210, 100, False, "price_doubtful")
    assert story.stored(TUESDAY) == (0, False, "price_doubtful", False)
    assert len(story.problems()) == 1
    story.decide(release=True, reason="takeover at 240")
    assert story.row() == (2400, 12_000, True, None)
    assert story.stored(TUESDAY) == (12_000, True, None, True)
    assert story.problems() == []


def test_one_that_is_released_at_once_goes_on_as_any_other(story: Story) -> None:
    story.quote(2400, TUESDAY)
    story.decide(release=True, reason="takeover")
    assert story.row() == (2400, 12_000, True, None)
    story.quote(2410, TUESDAY, LAST_MINUTE)
    assert story.row() == (2410, 12_100, True, None)
    story.end_of(TUESDAY, 2400)
    assert story.doubts()[1:] == [("moved", 2400, 1200, "recorded")]
    assert story.stored(TUESDAY) == (12_000, True, None, False)
    assert story.problems() == []


def test_a_name_that_drops_and_is_quoted_there_is_recorded_and_listed(story: Story) -> None:
    story.quote(905, TUESDAY, LAST_MINUTE)
    assert story.row() == (905, -2950, True, None)
    story.end_of(TUESDAY, 900)
    assert story.doubts() == [("moved", 900, 1200, "recorded")]
    assert story.stored(TUESDAY) == (-3000, True, None, False)
    assert story.problems() == []


@pytest.mark.parametrize("quoted", [950.0, None], ids=["elsewhere", "not at all"])
def test_a_drop_that_its_quotes_do_not_bear_out_is_held_back(
    story: Story, quoted: float | None
) -> None:
    if quoted is not None:
        story.quote(quoted, TUESDAY, LAST_MINUTE)
    story.end_of(TUESDAY, 900)
    assert story.doubts() == [("moved", 900, 1200, "held")]
    story.late(TUESDAY)
    assert story.stored(TUESDAY)[1:3] == (False, "price_doubtful")
    story.decide(release=False, reason="the tape says 1200")
    # A refusal leaves the name without a close: carried, and a person enters one.
    assert story.stored(TUESDAY) == (0, False, "carried", True)
    story.close(TUESDAY, "1199")
    story.keep(story.now)
    assert story.stored(TUESDAY) == (-10, True, None, True)


def test_a_quote_that_spikes_is_overtaken_by_the_next(story: Story) -> None:
    story.quote(1205, TUESDAY)
    story.quote(120_000, TUESDAY, (15, 1))
    assert story.row() == (1205, 50, False, "price_doubtful")
    assert "CCI 2026-11-24: 120000.00 is 100 times the last price, 1205.00." in story.problems()[0]
    story.quote(1206, TUESDAY, (15, 2))
    assert story.row() == (1206, 60, True, None)
    assert [state for *_, state in story.doubts()] == ["overtaken"]
    assert story.problems() == []


def test_a_close_that_spikes_is_overtaken_when_yahoo_says_better(story: Story) -> None:
    story.quote(1210, TUESDAY, LAST_MINUTE)
    story.end_of(TUESDAY, 121_000)
    assert story.row() == (1210, 100, False, "price_doubtful")
    assert story.doubts() == [("moved", 121_000, 1200, "held")]
    assert not DailyPnl.objects.filter(session=TUESDAY).exists()
    story.market.closes["CCI", TUESDAY] = 1211
    story.to(TUESDAY, (21, 11))
    story.work()
    assert [state for *_, state in story.doubts()] == ["overtaken"]
    assert story.row() == (1211, 110, True, None)
    assert story.stored(TUESDAY) == (110, True, None, False)


def test_after_one_that_is_held_back_the_next_is_compared_with_the_last_good_one(
    story: Story,
) -> None:
    """Two sessions slept through, of which the first has a spike."""
    story.market.closes["CCI", TUESDAY] = 120_000
    story.market.closes["CCI", WEDNESDAY] = 1190
    story.end_of(WEDNESDAY)
    assert story.closes(WEDNESDAY) == [1190]
    assert story.doubts() == [("moved", 120_000, 1200, "held")]


def test_a_quote_that_was_refused_is_not_asked_about_again_on_that_day(story: Story) -> None:
    story.quote(1205, TUESDAY)
    story.quote(120_000, TUESDAY, (15, 1))
    story.decide(release=False, reason="nonsense")
    story.quote(120_500, TUESDAY, (15, 2))
    assert len(story.doubts()) == 1
    assert story.row() == (1205, 50, True, None)
    # It is no quote, so after a while there is none that is fresh.
    story.quote(120_500, TUESDAY, (15, 30))
    assert story.row() == (1205, 50, False, "stale")
    story.quote(120_500, WEDNESDAY)
    assert story.doubts()[1:] == [("quote", 120_500, 1205, "held")]


def test_an_override_is_a_persons_word_meanwhile(story: Story) -> None:
    story.quote(2400, TUESDAY)
    with clock_set(story.now):
        answer = make.client_of(story.user).post(
            "/api/v1/prices/overrides/", {"ticker": "CCI", "price": "1300", "reason": "broker"},
            format="json",
        )  # fmt: skip
    assert answer.status_code == 201, answer.content
    assert story.row() == (1300, 1000, True, None)


def test_pence_are_no_dollars(story: Story) -> None:
    story.quote(1210, TUESDAY, (14, 31))
    story.market.currencies["CCI"] = "GBp"
    story.quote(121_000, TUESDAY, (14, 32))
    assert story.row() == (1210, 100, True, None)
    assert Quote.objects.get().price == 1210
    assert story.doubts() == []
    (problem,) = story.problems()
    assert problem == (
        "Yahoo answers CCI in GBp, not USD: left out. Its symbol names another listing; mend it in"
        " the admin (Instruments)."
    )
    story.end_of(TUESDAY, 121_000)
    assert story.closes(TUESDAY) == []
    story.market.currencies.clear()
    story.market.closes["CCI", TUESDAY] = 1211
    story.to(TUESDAY, (21, 11))
    story.work()
    assert (story.closes(TUESDAY), story.problems()) == ([1211], [])
