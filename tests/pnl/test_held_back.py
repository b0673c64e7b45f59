"""Stories of splits, told and not told, and of corrections, by a Yahoo on loopback: each one's
figures to the cent, and what operations see of it."""

from datetime import date
from decimal import Decimal

import pytest

from kernel.clock import clock_set
from pnl.activity.legs import work_do
from prices.actions.record import action_confirm, action_propose
from prices.actions.terms import Terms
from prices.closes.fetch import closes_rebuild
from prices.doubts.decide import DoubtDecided, doubts_decide
from prices.models import CloseDoubt
from tests import factories as make
from tests.pnl.wrong_prices import (
    FRIDAY,
    MONDAY,
    MORNING,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    Story,
    divided,
    story,
)

__all__ = ["story"]

D = Decimal


def test_it_begins_well(story: Story) -> None:
    assert story.stored(THURSDAY) == (100, True, None, False)
    assert story.stored(MONDAY) == (100, True, None, False)
    assert (story.doubts(), story.problems()) == ([], [])


def test_a_split_that_yahoo_tells_of_changes_no_close(story: Story) -> None:
    """The closes before it come divided, with the split: they are multiplied again."""
    story.market.splits["CCI", TUESDAY] = (10, 1)
    story.to(TUESDAY, MORNING)
    story.work()
    assert (story.closes(MONDAY), story.doubts()) == ([1200], [])
    assert story.stored(MONDAY) == (100, True, None, False)


def test_a_split_that_is_not_told_restates_nothing(story: Story) -> None:
    divided(story)
    story.to(TUESDAY, MORNING)
    story.work()
    assert story.closes(MONDAY) == [1200]
    assert story.stored(MONDAY) == (100, True, None, False)
    assert story.doubts() == [("rewritten", 120, 1200, "held")]
    assert story.row() == (1200, 0, False, "price_doubtful")
    (problem,) = story.problems()
    assert problem == (
        "Held back, 1 to be released or refused on the prices page or in the admin: CCI 2026-11-23:"
        " 120.00 is 90% below (as after a 10:1 split) what was recorded, 1200.00."
        " See docs/runbooks/doubtful-closes.md."
    )
    # The exchange opens at the new level: not a loss of 10,800.
    story.quote(120, TUESDAY)
    assert story.row() == (1200, 0, False, "price_doubtful")
    assert story.doubts()[1:] == [("quote", 120, 1200, "held")]
    # Nor at the end, nor for good.
    story.end_of(TUESDAY, 120)
    assert story.doubts()[2:] == [("moved", 120, 1200, "held")]
    story.late(TUESDAY)
    assert story.row() == (1200, 0, False, "price_doubtful")
    assert story.stored(TUESDAY) == (0, False, "price_doubtful", False)
    assert story.stored(MONDAY) == (100, True, None, False)
    # Middle office refuses the rewriting, and releases what was traded on the day.
    for kind, release in (("rewritten", False), ("moved", True)):
        doubts_decide(
            user=story.user, ids=[CloseDoubt.objects.get(kind=kind).pk], release=release,
            reason="10:1 split; closes stay as traded", now=story.now,
        )  # fmt: skip
    story.keep(story.now)
    assert [state for *_, state in story.doubts()] == ["refused", "overtaken", "released"]
    assert story.stored(TUESDAY) == (D("-10800"), True, None, True)
    assert story.problems() == []
    # It is not asked about again, however often Yahoo says it.
    story.to(WEDNESDAY, MORNING)
    story.work()
    closes_rebuild(now=story.now, first=MONDAY)
    assert len(story.doubts()) == 3
    assert story.closes(MONDAY) == [1200]


def test_a_split_confirmed_after_it_was_not_told(story: Story) -> None:
    """Yahoo's rewritten history stays refused, and the close of the ex-date is released: with the
    action nothing was lost on it, and before it nothing is told anew."""
    divided(story)
    story.quote(120, TUESDAY)
    story.end_of(TUESDAY, 120)
    for kind, release in (("rewritten", False), ("moved", True)):
        doubts_decide(
            user=story.user, ids=[CloseDoubt.objects.get(kind=kind).pk], release=release,
            reason="10:1 split", now=story.now,
        )  # fmt: skip
    story.keep(story.now)
    assert story.stored(TUESDAY)[0] == -10800
    office = make.make_user("office", is_superuser=True)
    terms = Terms("split", "CCI", TUESDAY, keep_new=D(10))
    with clock_set(story.now):
        action = action_propose(user=office, terms=terms, reason="announced")
        action_confirm(user=office, action_id=action.pk, version=1, reason="seen")
        work_do()
    story.keep(story.now)
    assert story.stored(MONDAY) == (100, True, None, False)
    assert story.stored(TUESDAY) == (0, True, None, True)
    assert story.closes(MONDAY) == [1200]
    with clock_set(story.now):
        answer = make.client_of(story.user).get("/api/v1/positions/", {"account": "Test3"})
    (row,) = answer.json()["results"]
    assert [D(row[name]) for name in ("quantity", "average_cost", "realized_pnl")] == [100, 118, 0]


def test_a_rebuild_after_a_split_holds_all_of_history_back(story: Story) -> None:
    divided(story)
    story.to(TUESDAY, MORNING)
    closes_rebuild(now=story.now)
    story.keep(story.now)
    held = CloseDoubt.objects.filter(state="held", kind="rewritten")
    assert sorted(held.values_list("session", "price")) == [
        (date(2026, 11, 18), D("118.50")), (THURSDAY, 119), (FRIDAY, 119), (MONDAY, 120),
    ]  # fmt: skip
    kept = [(100, True, None, False), (0, True, None, False), (100, True, None, False)]
    assert [story.stored(day) for day in (THURSDAY, FRIDAY, MONDAY)] == kept
    story.decide(release=False, reason="closes stay as traded")
    assert [story.stored(day) for day in (THURSDAY, FRIDAY, MONDAY)] == kept
    assert story.row() == (1200, 0, True, None)
    with pytest.raises(DoubtDecided, match="CCI 2026-11-18"):
        doubts_decide(
            user=story.user, ids=[doubt.pk for doubt in CloseDoubt.objects.all()], release=True,
            reason="after all", now=story.now,
        )  # fmt: skip


def test_five_for_four_is_noticed_though_it_moves_less_than_a_fifth(story: Story) -> None:
    story.market.closes["CCI", MONDAY] = 963.90  # 1200 × 4 ÷ 5 is 960: 19.7% off
    story.to(TUESDAY, MORNING)
    story.work()
    assert story.doubts() == [("rewritten", D("963.90"), 1200, "held")]
    assert "as after a 5:4 split" in story.problems()[0]


def test_a_correction_is_a_correction(story: Story) -> None:
    story.market.closes["CCI", MONDAY] = 1201.50
    story.to(TUESDAY, MORNING)
    story.work()
    assert (story.closes(MONDAY), story.doubts()) == ([1200, D("1201.50")], [])
    assert story.stored(MONDAY) == (115, True, None, True)
