"""Fees beside the day's P&L: live, stored, as of then, in files; gross figures stay as they are."""

from decimal import Decimal
from typing import Any

import pytest

from blotter.pnl_tables import COLUMNS, table_rows
from blotter.rows import today_at
from eqtrade.verify import verify
from kernel.clock import clock_set
from pnl.activity.projection import ACTIVITY
from pnl.cost.projection import COST
from pnl.models import Cost, DailyActivity, DailyPnl
from tests import factories as make
from tests.pnl.conftest import MONDAY, TUESDAY, WEDNESDAY, Days, at, settle
from trades.fee_kinds import Fee
from trades.ledger.multi_shard_batch import round_read
from trades.ledger.rebuild import rebuild
from trades.models import LEDGER_SHARDS, Trade

D = Decimal
NAMES = ("trade_pnl", "position_pnl", "total_pnl", "fees", "net_pnl")
WORKED = (D("950"), D("750"), D("1700"), D("7.65"), D("1692.35"))
MONDAYS = {"from": str(MONDAY), "to": str(MONDAY)}


def shown(row: dict[str, Any]) -> tuple[Decimal, ...]:
    return tuple(D(row[name]) for name in NAMES)


def positions(days: Days, now: Any, **query: Any) -> list[tuple[Decimal, ...]]:
    with clock_set(now):
        answer = make.client_of(days.user).get("/api/v1/positions/", query)
    assert answer.status_code == 200, answer.content
    return [shown(row) for row in answer.json()["results"]]


def in_files(days: Days, now: Any, by: str) -> list[tuple[Decimal, ...]]:
    """The cells of both kinds of file."""
    with clock_set(now):
        today = today_at(now)
        accounts = {days.account.pk: days.account.code}
        rows = list(table_rows(accounts=accounts, days=[MONDAY], by=by, today=today))
    return [shown(dict(zip(COLUMNS[by], row, strict=True))) for row in rows]


@pytest.fixture
def worked(days: Days) -> Days:
    """Buy 1,000 @ 50.00 for a fee of 5.00, sell 400 @ 52.00 for 2.00 + 0.58 + 0.07; the previous
    close is 50.25, the mark 51.50."""
    make.make_close(days.ibm, MONDAY.replace(day=13), "50.25")
    days.trade("1000", "50.00", MONDAY, commission="5.00")
    days.trade("-400", "52.00", MONDAY, commission="2.65")
    make.make_quote(days.ibm, "51.50", at(MONDAY))
    return days


def kept(days: Days) -> Days:
    """Monday's P&L is stored, from a close that is the mark."""
    days.close(MONDAY, "51.50")
    settle(MONDAY)
    days.keep(at(MONDAY, 22))
    assert DailyPnl.objects.get(session=MONDAY).fees == D("7.65")
    return days


def test_live_by_ticker_by_account_and_in_positions(worked: Days) -> None:
    now = at(MONDAY)
    for by in ("ticker", "account"):
        assert [shown(row) for row in worked.pnl(now, by=by)] == [WORKED]
        assert in_files(worked, now, by) == [WORKED]
    assert positions(worked, now) == [WORKED]
    assert verify() == []


def costs(days: Days, now: Any, **query: Any) -> tuple[Decimal, ...]:
    """(average cost, realized, unrealized) of the one position."""
    with clock_set(now):
        answer = make.client_of(days.user).get("/api/v1/positions/", query)
    (row,) = answer.json()["results"]
    return tuple(D(row[name]) for name in ("average_cost", "realized_pnl", "unrealized_pnl"))


@pytest.mark.parametrize("query", [{}, {"as_of": str(MONDAY)}, {"known_at": "2026-03-16T16:00Z"}])
def test_cost_is_net_of_fees(worked: Days, query: dict[str, str]) -> None:
    assert not round_read(COST, range(LEDGER_SHARDS)).behind
    assert costs(worked, at(MONDAY), **query) == (D("50.005"), D("795.35"), D("897"))
    assert verify() == []


def test_a_short_that_costs_more_than_it_brought_in(days: Days) -> None:
    """Its cost is positive, and the reader of costs goes on."""
    make.make_quote(days.ibm, "0.02", at(MONDAY))
    days.trade("-10", "0.01", MONDAY, commission="5.00")
    assert not round_read(COST, range(LEDGER_SHARDS)).behind
    assert Cost.objects.get().cost == D("4.9")
    assert costs(days, at(MONDAY)) == (D("-0.49"), D(0), D("-5.1"))
    assert verify() == []


def test_a_change_of_a_fee_alone_is_counted_once(worked: Days) -> None:
    """The quantity of its two entries is nothing, and its fee is not."""
    assert not round_read(COST, range(LEDGER_SHARDS)).behind
    before = costs(worked, at(MONDAY))
    for amount, fees in (("9.00", (D("50.009"), D("793.75"), D("894.6"))), ("5.00", before)):
        trade = Trade.objects.get(side="buy")
        worked.amend(trade, at(MONDAY, 15, 1), fees=(Fee("commission", D(amount)),))
        assert not round_read(COST, range(LEDGER_SHARDS)).behind
        assert costs(worked, at(MONDAY, 15, 2)) == fees
        assert verify() == []
    assert positions(worked, at(MONDAY)) == [WORKED]


def test_where_a_price_is_missing_fees_are_known_and_net_is_not(days: Days) -> None:
    days.trade("10", "40", MONDAY, commission="-0.5")
    (row,) = days.pnl(at(MONDAY), by="ticker")
    assert (row["total_pnl"], row["fees"], row["net_pnl"]) == (None, "-0.5", None)
    (total,) = days.pnl(at(MONDAY), by="account")
    assert (total["total_pnl"], total["fees"], total["net_pnl"]) == ("0", "-0.5", "0.5")


def test_a_past_session_provisional_stored_and_as_of_then(worked: Days) -> None:
    worked.close(MONDAY, "51.50")
    now = at(TUESDAY)
    for is_stored in (False, True):
        if is_stored:
            kept(worked)
        for by in ("ticker", "account"):
            assert [shown(row) for row in worked.pnl(now, by=by, **MONDAYS)] == [WORKED]
            assert in_files(worked, now, by) == [WORKED]
    assert positions(worked, now, as_of=str(MONDAY)) == [WORKED]
    assert verify() == []


def test_fees_alone_restate_their_own_session_and_no_gross_figure(worked: Days) -> None:
    kept(worked)
    trade = Trade.objects.get(side="buy")
    worked.amend(trade, at(WEDNESDAY, 14), fees=(Fee("commission", D("4.00")),))
    worked.keep(at(WEDNESDAY, 14, 1))
    (row,) = worked.pnl(at(WEDNESDAY), by="ticker", **MONDAYS)
    assert shown(row) == (*WORKED[:3], D("6.65"), D("1693.35"))
    assert row["restated_at"] is not None
    (learned,) = worked.pnl(at(WEDNESDAY), by="account")
    assert learned["correction_pnl"] == "0"
    before, after = "2026-03-17T00:00:00Z", "2026-03-18T14:00:00Z"
    for known_at, fees in ((before, "7.65"), (after, "6.65")):
        (then,) = positions(worked, at(WEDNESDAY), as_of=str(MONDAY), known_at=known_at)
        assert then[:4] == (*WORKED[:3], D(fees))
    assert verify() == []
    worked.cancel(trade, at(WEDNESDAY, 15))
    worked.keep(at(WEDNESDAY, 15, 1))
    assert DailyPnl.objects.get(session=MONDAY).fees == D("2.65")


def test_verify_finds_wrong_fees_and_a_rebuild_mends_them(worked: Days) -> None:
    kept(worked)
    DailyActivity.objects.update(fees=1)
    DailyPnl.objects.update(fees=2)
    assert {(b.what, b.found, b.expected) for b in verify()} == {
        ("daily activity, fees", D(1), D("7.65")),
        ("end-of-day P&L, fees", D(2), D("7.65")),
    }
    list(rebuild(ACTIVITY))
    worked.keep(at(TUESDAY))
    assert verify() == []


def test_verify_compares_sums_with_the_fees_that_they_are_of(worked: Days) -> None:
    Trade.objects.filter(side="buy").update(fees=D(6))
    found = {(b.what, b.found, b.expected) for b in verify()}
    assert ("fees of trade", D(6), D(5)) in found
