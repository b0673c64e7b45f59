"""What stands beside the P&L of positions while a close is held back: a trade's own P&L, and the
snapshot of the session's end."""

from decimal import Decimal
from typing import Any

from kernel.clock import clock_set
from positions.models import PositionSnapshot, SnapshotRun
from positions.snapshots.differences import snapshot_differences
from positions.snapshots.take import snapshots_work
from prices.closes.fetch import closes_rebuild
from tests import factories as make
from tests.pnl.conftest import recorded
from tests.pnl.wrong_prices import (
    MONDAY,
    MORNING,
    OPEN,
    TUESDAY,
    Story,
    divided,
    story,
)

__all__ = ["story"]


def listed(story: Story) -> list[tuple[str, Decimal, bool]]:
    """Trade date, own P&L and validity of each trade, oldest first."""
    with clock_set(story.now):
        rows = make.client_of(story.user).get("/api/v1/trades/").json()["results"]
    return [(r["trade_date"], Decimal(r["trade_pnl"]), r["pnl_valid"]) for r in rows[::-1]]


def booked(story: Story, price: str) -> dict[str, Any]:
    terms = {"account": "Test3", "ticker": "CCI", "side": "buy", "quantity": "10", "price": price}
    with clock_set(story.now):
        answer = make.client_of(story.user).post("/api/v1/trades/", terms, format="json")
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_a_trade_knows_that_the_close_it_is_measured_from_is_doubted(story: Story) -> None:
    story.trade("1", "1199", MONDAY, when=story.now)
    bought = ("2026-11-19", Decimal(50), True)
    assert listed(story) == [bought, ("2026-11-23", Decimal(-9), True)]
    divided(story)
    story.to(TUESDAY, MORNING)
    closes_rebuild(now=story.now)
    story.to(TUESDAY, OPEN)
    answer = booked(story, "1190")
    assert (answer["trade_pnl"], answer["pnl_valid"]) == ("100", False)
    # Monday's trade is measured from Friday's close, of which nobody doubted on Monday.
    expected = [bought, ("2026-11-23", Decimal(-9), True)]
    assert listed(story) == [*expected, ("2026-11-24", Decimal(100), False)]
    story.decide(release=False, reason="closes stay as traded")
    assert listed(story) == [*expected, ("2026-11-24", Decimal(100), True)]
    assert booked(story, "1190")["pnl_valid"] is True


def test_a_snapshot_keeps_no_close_while_its_own_is_held_back(story: Story) -> None:
    story.end_of(TUESDAY, 900)
    story.late(TUESDAY)
    with recorded(story.now):
        assert snapshots_work(now=story.now, patience=0)[-1] == TUESDAY
    kept = dict(PositionSnapshot.objects.values_list("session", "close"))
    assert (kept[MONDAY], kept[TUESDAY]) == (1200, None)
    run = SnapshotRun.objects.get(session=TUESDAY)
    assert (run.rows, run.missing_closes) == (1, 1)
    story.decide(release=True, reason="it fell")
    (found,) = snapshot_differences(run=run, accounts=[story.account.pk])
    assert (found.snapshot_quantity, found.quantity) == (10, 10)
    assert (found.snapshot_close, found.close) == (None, 900)
