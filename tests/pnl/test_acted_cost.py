"""Cost through corporate actions: nothing of the money is lost, whatever the chain."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings

from kernel.actions import Action, Fractions, Leg, fold
from kernel.money import MAX_DECIMALS
from pnl.cost.acted import Fill, acted_cost
from tests.kernel.test_actions import DAY, HISTORY, ONE, THREE, TWO, chains, day

D = Decimal
FEE = D("1.25")
PRICES = {ONE: D("12.34"), TWO: D("56.78"), THREE: D("9.1")}


def whole(number: Decimal) -> int:
    return int(number.scaleb(MAX_DECIMALS))


def fills(traded: Mapping[int, Mapping[date, Decimal]]) -> dict[int, list[Fill]]:
    return {
        instrument: [
            (on, whole(quantity), whole(PRICES[instrument]), whole(FEE))
            for on, quantity in sorted(days.items())
            if quantity
        ]
        for instrument, days in traded.items()
    }


@given(HISTORY, chains())
@settings(max_examples=150)
def test_realized_and_income_less_cost_is_cash_less_what_was_paid(
    traded: Mapping[int, Mapping[date, Decimal]], chain: list[Action]
) -> None:
    actions = [replace(action, in_lieu=PRICES, cash_is_income=n % 2 == 0, cost_to_cash=D("0.1"))
               for n, action in enumerate(chain)]  # fmt: skip
    found = acted_cost(fills(traded), actions, lambda action, instrument: None)
    effects = fold(traded, actions)
    paid = sum((q * PRICES[i] for i, days in traded.items() for q in days.values()), D(0))
    cash = sum((effect.cash for effect in effects), D(0))
    left = D(0)
    for instrument, days in traded.items():
        quantity, cost, realized, income = found.of(instrument)
        moved = sum((e.quantity for e in effects if e.instrument == instrument), D(0))
        assert quantity == sum(days.values(), D(0)) + moved
        left += realized + income - cost
    fills_made = sum(bool(quantity) for days in traded.values() for quantity in days.values())
    assert left == cash - paid - FEE * fills_made


WORKED: dict[str, tuple[Action, str, dict[int, tuple[str, str, str, str]]]] = {
    "a reverse split": (
        Action("a", ONE, DAY, keep_new=D(1), keep_old=D(8), in_lieu={ONE: D("104.10")}),
        "1003", {ONE: ("125", "13000", "0.0375", "0")},
    ),
    "a merger": (
        Action("a", ONE, DAY, keep_new=D(0), cash=D("12.50"), cost_to_cash=D("0.1"),
               legs=(Leg(TWO, D(4), D(5), D("0.9")),)),
        "250", {ONE: ("0", "0", "2800", "0"), TWO: ("200", "2925", "0", "0")},
    ),
    "worthless": (
        Action("a", ONE, DAY, keep_new=D(0)), "10", {ONE: ("0", "0", "-130", "0")},
    ),
    "forfeited": (
        Action("a", ONE, DAY, keep_new=D(1), keep_old=D(4), fractions=Fractions.DOWN),
        "10", {ONE: ("2", "104", "-26", "0")},
    ),
    "income": (
        Action("a", ONE, DAY, cash=D("1.67"), cash_is_income=True),
        "1000", {ONE: ("1000", "13000", "0", "1670")},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("action", "held", "right"), WORKED.values(), ids=WORKED)
def test_worked(action: Action, held: str, right: dict[int, Any]) -> None:
    """Bought at 13."""
    bought = {ONE: [(day(-1), whole(D(held)), whole(D(13)), 0)]}
    found = acted_cost(bought, [action], lambda action, instrument: None)
    for instrument, numbers in right.items():
        assert found.of(instrument) == tuple(map(D, numbers))
