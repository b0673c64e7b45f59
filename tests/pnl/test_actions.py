"""The worked examples of corporate actions over REST, to the cent: live, stored, as of then; and
what is undone, amended, late."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from eqtrade.verify import verify
from kernel.clock import clock_set
from pnl.activity.projection import ACTIVITY
from pnl.models import ActionLeg, DailyPnl
from positions.models import PositionSnapshot
from positions.snapshots.take import snapshots_work
from tests import factories as make
from tests.pnl.acting import Acting, cents, figures
from tests.pnl.conftest import (
    FRIDAY,
    MONDAY,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    Days,
    at,
    recorded,
    settle,
)
from trades.ledger.rebuild import rebuild

D = Decimal
NOW = at(TUESDAY, 18)
BEFORE = MONDAY - timedelta(days=3)


@pytest.fixture
def acting(days: Days) -> Acting:
    return Acting(days)


def priced(acting: Acting, before: str, mark: str) -> None:
    """The close of the session before the ex-date, and the price on it."""
    acting.days.close(MONDAY, before)
    make.make_quote(acting.days.ibm, mark, NOW)


def kept(acting: Acting, mark: str, ticker: Any = None) -> None:
    """Tuesday is over: its P&L is stored from a close that is the mark."""
    acting.days.close(TUESDAY, mark, ticker)


# Held, bought on the ex-date, close before, mark, kind, terms: held after, the four figures.
ONE_NAME: dict[str, tuple[Any, ...]] = {
    "10:1": (
        "100", ("50", "120.37"), "1208.88", "121.79", "split", {"keep_new": "10"},
        "1050", ("25.90", "947.10", "0.00", "973.00"),
    ),
    "3:2": (
        "101", None, "100.00", "66.90", "split",
        {"keep_new": "3", "keep_old": "2", "cash_in_lieu": "66.50"},
        "151", ("0.00", "35.23", "-0.08", "35.15"),
    ),
    "1:8": (
        "1003", None, "12.95", "104.99", "reverse_split",
        {"keep_new": "1", "keep_old": "8", "cash_in_lieu": "104.10"},
        "125", ("0.00", "173.75", "0.19", "173.94"),
    ),
    "1:8, short": (
        "-1003", None, "12.95", "104.99", "reverse_split",
        {"keep_new": "1", "keep_old": "8", "cash_in_lieu": "104.10"},
        "-125", ("0.00", "-173.75", "-0.19", "-173.94"),
    ),
    "1:8, not paid yet": (
        "1003", None, "12.95", "104.99", "reverse_split", {"keep_new": "1", "keep_old": "8"},
        "125", ("0.00", "173.75", "0.00", "173.75"),
    ),
    "1:8, forfeited": (
        "1003", None, "12.95", "104.99", "reverse_split",
        {"keep_new": "1", "keep_old": "8", "fractions": "down"},
        "125", ("0.00", "173.75", "-38.85", "134.90"),
    ),
    "1:8, up": (
        "1003", None, "12.95", "104.99", "reverse_split",
        {"keep_new": "1", "keep_old": "8", "fractions": "up"},
        "126", ("0.00", "175.14", "64.75", "239.89"),
    ),
    "a dividend": (
        "1000", ("200", "142.10"), "143.33", "142.50", "cash_dividend", {"cash": "1.67"},
        "1200", ("246.00", "-996.00", "1670.00", "920.00"),
    ),
    "a dividend, short": (
        "-500", None, "143.33", "142.50", "cash_dividend", {"cash": "1.67"},
        "-500", ("0.00", "415.00", "-835.00", "-420.00"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("held", "bought", "before", "mark", "kind", "terms", "after", "right"),
    ONE_NAME.values(),
    ids=ONE_NAME,
)
def test_one_name(
    acting: Acting,
    held: str,
    bought: tuple[str, str] | None,
    before: str,
    mark: str,
    kind: str,
    terms: dict[str, Any],
    after: str,
    right: tuple[str, ...],
) -> None:
    days = acting.days
    days.trade(held, "13", MONDAY)
    acting.define(kind, **terms)
    if bought is not None:
        days.trade(*bought, TUESDAY)
    priced(acting, before, mark)
    wanted = tuple(map(D, right))
    live = acting.position(NOW)
    assert (D(live["quantity"]), figures(live)) == (D(after), wanted)
    assert (live["pnl_valid"], D(live["previous_close_as_traded"])) == (True, D(before))
    assert [each["kind"] for each in live["actions"]] == [kind]
    assert tuple(acting.sums(NOW).values()) == wanted
    # The day before is as it was, the day itself stored, and as of then, from the day after.
    then = acting.position(NOW, as_of=str(MONDAY))
    assert (D(then["quantity"]), then["actions"]) == (D(held), [])
    kept(acting, mark)
    tuesday = {"from": str(TUESDAY), "to": str(TUESDAY)}
    assert tuple(acting.sums(at(WEDNESDAY), **tuesday).values()) == wanted
    settle(MONDAY, TUESDAY)
    days.keep(at(TUESDAY, 22))
    assert DailyPnl.objects.get(session=TUESDAY).closing_quantity == D(after)
    assert tuple(acting.sums(at(WEDNESDAY), **tuesday).values()) == wanted
    past = acting.position(at(WEDNESDAY), as_of=str(TUESDAY))
    assert (D(past["quantity"]), figures(past)) == (D(after), wanted)
    (row,) = days.pnl(at(WEDNESDAY), by="ticker", **tuesday)
    assert (figures(row), [each["kind"] for each in row["actions"]]) == (wanted, [kind])
    nothing = acting.position(at(WEDNESDAY, 14))
    assert (D(nothing["quantity"]), figures(nothing)[2]) == (D(after), D("0.00"))
    assert verify() == []


def test_a_split_as_it_is_in_a_file_of_closes(days: Days) -> None:
    """Bought 10 @ 1180, 1200 before, 120 on the ex-date: nothing is lost, and nothing realized."""
    acting = Acting(days)
    days.trade("10", "1180", MONDAY)
    days.close(MONDAY, "1200")
    acting.define("split", keep_new="10")
    kept(acting, "120")
    row = acting.position(at(WEDNESDAY), as_of=str(TUESDAY))
    assert figures(row) == (0, 0, 0, 0)
    assert (D(row["quantity"]), D(row["average_cost"]), D(row["realized_pnl"])) == (100, 118, 0)
    assert D(row["previous_close"]) == 120


def test_cost_through_a_reverse_split_with_cash_in_lieu(acting: Acting) -> None:
    acting.days.trade("1003", "13", MONDAY)
    acting.define("reverse_split", keep_new="1", keep_old="8", cash_in_lieu="104.10")
    priced(acting, "12.95", "104.99")
    row = acting.position(NOW)
    assert (D(row["average_cost"]) * 125, D(row["realized_pnl"])) == (13000, D("0.0375"))
    as_of = acting.position(at(WEDNESDAY), as_of=str(TUESDAY))
    assert (as_of["average_cost"], as_of["realized_pnl"]) == (
        row["average_cost"], row["realized_pnl"],
    )  # fmt: skip


def test_income_is_beside_realized_and_unrealized(acting: Acting) -> None:
    acting.days.trade("1000", "140", MONDAY)
    acting.define("cash_dividend", cash="1.67")
    priced(acting, "143.33", "142.50")
    row = acting.position(NOW)
    assert (D(row["income"]), D(row["realized_pnl"]), D(row["unrealized_pnl"])) == (1670, 0, 2500)


@pytest.mark.parametrize("when_issued", [None, "150.00"], ids=["at its mark", "when issued"])
def test_a_spin_off(acting: Acting, when_issued: str | None) -> None:
    days = acting.days
    child = make.make_instrument("KD")
    days.trade("103", "100", MONDAY)
    acting.define(
        "spin_off", cash_in_lieu="141.20",
        legs=[{"ticker": "KD", "new": "1", "old": "4", "cost_share": "0.2"}],
    )  # fmt: skip
    priced(acting, "180.00", "140.00")
    make.make_quote(child, "142.00", NOW)
    if when_issued is not None:
        days.close(MONDAY, when_issued, child)
    parent, spun = acting.position(NOW), acting.position(NOW, "KD")
    assert (D(parent["quantity"]), D(spun["quantity"])) == (103, 25)
    assert acting.sums(NOW)["total_pnl"] == D("-464.10")
    cost = D(parent["average_cost"]) * 103 + D(spun["average_cost"]) * 25
    assert cents(cost) == cents(D(10300) - D(2060) * D("0.75") / D("25.75"))
    kept(acting, "140.00")
    kept(acting, "142.00", child)
    settle(MONDAY, TUESDAY)
    days.keep(at(TUESDAY, 22))
    tuesday = {"from": str(TUESDAY), "to": str(TUESDAY)}
    assert acting.sums(at(WEDNESDAY), **tuesday)["total_pnl"] == D("-464.10")
    assert len(days.pnl(at(WEDNESDAY), by="ticker", **tuesday)) == 2
    rows = acting.positions(at(WEDNESDAY), as_of=str(TUESDAY))
    assert sum((figures(row)[3] or D(0) for row in rows), D(0)) == D("-464.10")
    assert verify() == []


def test_a_merger_for_shares_and_cash(acting: Acting) -> None:
    days = acting.days
    acquirer = make.make_instrument("HPE")
    days.trade("250", "50.00", MONDAY)
    days.trade("10", "59.00", MONDAY, instrument=acquirer)
    acting.define(
        "merger", cash="12.50", cost_to_cash="0.1",
        legs=[{"ticker": "HPE", "new": "4", "old": "5", "cost_share": "0.9"}],
    )  # fmt: skip
    days.close(MONDAY, "60.10")
    days.close(MONDAY, "59.00", acquirer)
    make.make_quote(acquirer, "60.00", NOW)
    sums = acting.sums(NOW)
    assert list(sums.values()) == [0, 210, D("-100"), D("110")]
    gone, got = acting.position(NOW), acting.position(NOW, "HPE")
    assert (D(gone["quantity"]), D(got["quantity"])) == (0, 210)
    assert D(gone["realized_pnl"]) == 1875
    assert cents(D(got["average_cost"]) * 210) == 11250 + 590
    days.ibm.refresh_from_db()
    assert (days.ibm.is_active, days.ibm.inactive_since) == (False, TUESDAY)
    booking = {"account": "Test1", "ticker": "IBM", "side": "buy", "quantity": "1", "price": "1"}
    with clock_set(NOW):
        answer = acting.client.post("/api/v1/trades/", booking, format="json")
    assert [each["code"] for each in answer.json()["errors"]] == ["inactive_ticker"]
    assert verify() == []


def test_a_chain_of_three_days(acting: Acting) -> None:
    days = acting.days
    trade = days.trade("100", "10", MONDAY)
    days.trade("10", "10", WEDNESDAY)
    acting.define("split", keep_new="2")
    acting.define("cash_dividend", cash="0.50", on=WEDNESDAY)
    acting.define("split", keep_new="3", on=THURSDAY)
    assert D(acting.position(at(FRIDAY))["quantity"]) == 630
    assert D(acting.position(at(FRIDAY))["income"]) == 100
    days.amend(trade, at(FRIDAY, 14), trade_date=TUESDAY)
    assert D(acting.position(at(FRIDAY))["quantity"]) == 330
    assert D(acting.position(at(FRIDAY))["income"]) == 50
    assert verify() == []


@pytest.mark.parametrize(("first", "total"), [("split", "40.00"), ("cash_dividend", "10.00")])
def test_two_of_one_day_count_by_sequence(acting: Acting, first: str, total: str) -> None:
    acting.days.trade("100", "10", MONDAY)
    second = {"split": "cash_dividend", "cash_dividend": "split"}[first]
    terms: dict[str, Any] = {"split": {"keep_new": "2"}, "cash_dividend": {"cash": "0.30"}}
    acting.define(second, sequence=2, **terms[second])
    acting.define(first, sequence=1, **terms[first])
    priced(acting, "100.00", "49.90")
    assert acting.sums(NOW)["total_pnl"] == D(total)


def test_a_late_trade_across_a_split_is_a_correction(acting: Acting) -> None:
    days = acting.days
    acting.define("split", keep_new="4", on=TUESDAY)
    days.close(MONDAY, "305")
    days.close(TUESDAY, "76.00")
    days.trade("10", "300.00", MONDAY, when=at(WEDNESDAY, 15))
    (row,) = days.pnl(at(WEDNESDAY), by="account")
    assert D(row["correction_pnl"]) == 40


def test_cancelled_is_as_if_it_had_never_been(acting: Acting) -> None:
    days = acting.days
    days.trade("100", "13", MONDAY)
    priced(acting, "100", "101")
    never = acting.positions(NOW)
    action = acting.define("split", keep_new="10", when=NOW)
    assert D(acting.position(NOW)["quantity"]) == 1000
    acting.decide("cancel", action, NOW)
    assert acting.positions(NOW) == never
    assert not ActionLeg.objects.exists()
    assert verify() == []


def test_a_wrong_ratio_is_amended_and_what_was_stored_restated(acting: Acting) -> None:
    days = acting.days
    days.trade("100", "13", MONDAY)
    days.close(MONDAY, "100")
    action = acting.define("split", keep_new="5")
    kept(acting, "10")
    settle(MONDAY, TUESDAY)
    days.keep(at(TUESDAY, 22))
    assert DailyPnl.objects.get(session=TUESDAY).closing_quantity == 500
    acting.amend(action, at(WEDNESDAY, 14), keep_new="10")
    days.keep(at(WEDNESDAY, 14, 1))
    row = DailyPnl.objects.get(session=TUESDAY)
    assert (row.closing_quantity, row.previous_close, row.position_pnl) == (1000, 10, 0)
    assert row.restated_at is not None
    list(rebuild(ACTIVITY))
    assert verify() == []


def test_known_at_before_it_and_snapshots_stay(acting: Acting) -> None:
    days = acting.days
    days.trade("100", "13", MONDAY)
    days.close(MONDAY, "100")
    days.close(TUESDAY, "10")
    settle(MONDAY, TUESDAY)
    assert TUESDAY in snapshots_work(now=at(TUESDAY, 23))
    recorded_at = at(WEDNESDAY, 14)
    acting.define("split", keep_new="10", when=recorded_at)
    then = {"as_of": str(TUESDAY), "known_at": at(WEDNESDAY, 13).isoformat()}
    assert D(acting.position(at(WEDNESDAY), **then)["quantity"]) == 100
    now = {"as_of": str(TUESDAY), "known_at": recorded_at.isoformat()}
    assert D(acting.position(at(WEDNESDAY), **now)["quantity"]) == 1000
    assert PositionSnapshot.objects.get(session=TUESDAY).quantity == 100
    differences = acting.client.get(
        "/api/v1/positions/snapshots/differences/", {"session": str(TUESDAY)}
    ).json()["results"]
    assert [(D(d["snapshot_quantity"]), D(d["quantity"])) for d in differences] == [(100, 1000)]
    assert D(differences[0]["pnl_effect"]) == 9000
    assert verify() == []


def test_a_trade_of_before_amended_in_an_account_that_had_sold_everything(acting: Acting) -> None:
    days = acting.days
    bought = days.trade("100", "100", MONDAY)
    acting.define("split", keep_new="10")
    days.close(MONDAY, "100")
    days.trade("-1000", "10", TUESDAY)
    kept(acting, "10")
    settle(MONDAY, TUESDAY)
    days.keep(at(TUESDAY, 22))
    days.amend(bought, at(WEDNESDAY, 14), quantity=D("110"))
    days.keep(at(WEDNESDAY, 14, 1))
    assert D(acting.position(at(WEDNESDAY))["quantity"]) == 100
    row = DailyPnl.objects.get(session=TUESDAY)
    assert (row.closing_quantity, row.restated_at is not None) == (100, True)
    then = {"as_of": str(TUESDAY), "known_at": at(WEDNESDAY, 13).isoformat(), "include_flat": "1"}
    assert D(acting.position(at(WEDNESDAY), **then)["quantity"]) == 0
    assert verify() == []


def test_no_short_looks_through_the_split(acting: Acting) -> None:
    days = acting.days
    days.account.can_short = False
    days.account.save()
    days.trade("100", "100", MONDAY)
    acting.define("split", keep_new="10")
    sale = {"account": "Test1", "ticker": "IBM", "side": "sell", "price": "10"}
    with clock_set(NOW):
        for quantity, status in (("1001", 400), ("1000", 201)):
            answer = acting.client.post(
                "/api/v1/trades/", {**sale, "quantity": quantity}, format="json"
            )
            assert answer.status_code == status, answer.content


def test_overrides_of_before_end_with_the_ex_date(acting: Acting) -> None:
    days = acting.days
    days.trade("100", "100", MONDAY)
    days.close(MONDAY, "100")
    with clock_set(at(MONDAY)), recorded(at(MONDAY)):
        body = {"ticker": "IBM", "price": "101", "reason": "halt",
                "expires_at": at(FRIDAY).isoformat()}  # fmt: skip
        assert (
            acting.client.post("/api/v1/prices/overrides/", body, format="json").status_code < 300
        )
    acting.define("split", keep_new="10")
    row = acting.position(NOW)
    assert (row["mark_source"], D(row["price"])) == ("previous_close", 10)
