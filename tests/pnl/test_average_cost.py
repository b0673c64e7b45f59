"""Average cost: worked examples by hand, and what holds for every sequence of trades."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnl.cost.average_cost import average_cost, costed
from tests.properties.desk_model import by_average_cost

D = Decimal


def after(*fills: str) -> tuple[Decimal, Decimal, Decimal]:
    """Quantity, cost and realized P&L after fills written as "quantity@price" or
    "quantity@price+fee"."""
    numbers = (fill.replace("+", "@").split("@") for fill in fills)
    return costed(tuple(map(D, each)) for each in numbers).decimals()


@pytest.mark.parametrize(
    ("fills", "quantity", "cost", "realized"),
    [
        (["100@10"], "100", "1000", "0"),
        (["100@10", "50@13"], "150", "1650", "0"),
        # Average 11: selling 60 at 12 earns 60 × 1.
        (["100@10", "50@13", "-60@12"], "90", "990", "60"),
        # Closed: all the cost goes, and 90 × (9 − 11) is lost.
        (["100@10", "50@13", "-60@12", "-90@9"], "0", "0", "-120"),
        # Through flat: what comes after starts anew.
        (["100@10", "-100@12", "10@20"], "10", "200", "200"),
        # A flip: 100 close at 12, the other 50 open short at 12.
        (["100@10", "-150@12"], "-50", "-600", "200"),
        # Short: bought back lower is a gain; the average of the rest stays 12.
        (["-50@12", "20@9"], "-30", "-360", "60"),
        (["-50@12", "80@9"], "30", "270", "150"),
        # A third of 100 is relieved to the millionth; the rest goes with the last unit.
        (["3@33.333333", "-1@40"], "2", "66.666666", "6.666667"),
        (["7@1.428571", "-2@2", "-2@2"], "3", "4.285713", "2.285716"),
        (["7@1.428571", "-2@2", "-2@2", "-3@2"], "0", "0", "4.000003"),
    ],
)
def test_fills_give_the_cost_and_realized_pnl_of_the_worked_examples(
    fills: list[str], quantity: str, cost: str, realized: str
) -> None:
    assert after(*fills) == (D(quantity), D(cost), D(realized))


@pytest.mark.parametrize(
    ("fills", "quantity", "cost", "realized"),
    [
        # Opening fees go into the cost, closing ones out of the gain.
        (["1000@50+5.00", "-400@52+2.65"], "600", "30003", "795.35"),
        # A flip: a third of the fee opens.
        (["-100@20+1.00", "150@19+3.00"], "50", "951", "97"),
        (["1000@10+-2.00"], "1000", "9998", "0"),
        # A short that costs more than it brought in.
        (["-10@0.01+5.00"], "-10", "4.9", "0"),
        (["-10@0.01+5.00", "4@0.01+0"], "-6", "2.94", "-2"),
        (["-10@0.01+5.00", "10@0.01+0"], "0", "0", "-5"),
        # Of a fee of 0.01 two thirds close, to the millionth, and the rest opens.
        (["2@1", "-3@1+0.01"], "-1", "-0.996667", "-0.006667"),
        # A fee alone, as a change of a fee by itself may be for a moment.
        (["10@1+1", "0@1+0.5"], "10", "11", "-0.5"),
    ],
)
def test_fees_of_the_worked_examples(
    fills: list[str], quantity: str, cost: str, realized: str
) -> None:
    assert after(*fills) == (D(quantity), D(cost), D(realized))


def test_halves_are_rounded_to_the_even_millionth() -> None:
    # Half of 0.000001 is relieved as 0, half of 0.000003 as 0.000002.
    assert after("0.5@0.000002", "-0.25@1")[1] == D("0.000001")
    assert after("0.5@0.000006", "-0.25@1")[1] == D("0.000001")


def test_rounding_never_relieves_more_than_there_is() -> None:
    quantity, cost, _ = after("1.6@0.000001", "-1.599999@1")
    assert (quantity, cost) == (D("0.000001"), 0)


@pytest.mark.parametrize(
    ("fills", "quantity", "cost", "realized"),
    [
        # The least of both: the product has 20 decimals, and none is lost.
        (["0.0000000001@0.0000000001"], "1E-10", "1E-20", "0"),
        (["0.0000000001@0.0000000001", "-0.0000000001@1"], "0", "0", "9.999999999E-11"),
        # The most of both, and the least beside it.
        (["1000000000@1000000000"], "1000000000", "1000000000000000000", "0"),
        (
            ["1000000000@1000000000", "0.0000000001@0.0000000001"],
            "1000000000.0000000001", "1000000000000000000.00000000000000000001", "0",
        ),
        (
            ["1000000000@0.0000000001", "-1000000000@1000000000"],
            "0", "0", "999999999999999999.9",
        ),
        # Of a cost of 11.11111111088888888889 a tenth is relieved, to the millionth.
        (
            ["3.3333333333@3.3333333333", "-0.3333333333@4"],
            "3", "10.00000011088888888889", "0.2222223332",
        ),
        # Free shares, and a worthless end.
        (["2@0"], "2", "0", "0"),
        (["2@0", "-1@5"], "1", "0", "5"),
        (["100@3", "-100@0"], "0", "0", "-300"),
        (["100@3", "100@0", "-50@2"], "150", "225", "25"),
        (["-100@3", "100@0"], "0", "0", "300"),
    ],
)  # fmt: skip
def test_the_finest_and_the_largest_of_the_worked_examples(
    fills: list[str], quantity: str, cost: str, realized: str
) -> None:
    assert after(*fills) == (D(quantity), D(cost), D(realized))


def test_finer_numbers_than_the_ledger_holds_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 10 decimals"):
        after("0.00000000001@1")


def test_average_cost_is_for_showing_and_absent_when_flat() -> None:
    assert average_cost(D(3), D(100)) == D(100) / D(3)
    assert average_cost(D(0), D(0)) is None
    assert average_cost(None, None) is None


# --- whatever is traded --------------------------------------------------------------------------


def finest(counts: "st.SearchStrategy[int]", decimals: int = 10) -> "st.SearchStrategy[Decimal]":
    return counts.map(lambda n: D(n).scaleb(-decimals))


quantities = st.one_of(
    st.integers(-50, 50).map(D),
    finest(st.integers(-(10**19), 10**19)),
    finest(st.integers(-(10**15), 10**15), 6),
    finest(st.integers(-30, 30)),
).filter(bool)
prices = st.one_of(
    finest(st.integers(0, 10**19)),
    st.integers(1, 500).map(lambda n: D(n) / 4),
    finest(st.integers(0, 9)),
)
trades = st.lists(st.tuples(quantities, prices), max_size=30)
fees = st.just(D(0)) | finest(st.integers(-(10**8), 10**8), 6) | st.just(D(6_000_000_000))
costly = st.lists(st.tuples(quantities, prices, fees), max_size=30)
Fills = list[tuple[Decimal, Decimal, Decimal]]


def by_fractions(fills: Fills) -> tuple[Fraction, Fraction, Fraction]:
    """Quantity, cost and realized P&L of the definition, in fractions: nothing can be lost."""
    held = cost = realized = Fraction(0)
    for quantity, price, fee in (map(Fraction, fill) for fill in fills):
        closing = held != 0 and (held > 0) != (quantity > 0)
        closed = min(abs(held), abs(quantity)) if closing else Fraction(0)
        of_closed = Fraction(0)
        if closed:
            part = Fraction(round(fee * closed / abs(quantity) * 10**6), 10**6)
            of_closed = fee if closed == abs(quantity) else min(part, fee, key=abs)
            share = Fraction(round(cost * closed / abs(held) * 10**6), 10**6)
            relieved = cost if closed == abs(held) else min(share, cost, key=abs)
            sign = 1 if held > 0 else -1
            realized += sign * closed * price - of_closed - relieved
            held, cost = held - sign * closed, cost - relieved
        opened = (abs(quantity) - closed) * (1 if quantity > 0 else -1)
        held, cost = held + opened, cost + opened * price + fee - of_closed
    return held, cost, realized


@given(costly)
def test_it_is_the_definition_in_fractions(fills: Fills) -> None:
    assert tuple(map(Fraction, costed(fills).decimals())) == by_fractions(fills)


coarse = st.lists(
    st.tuples(
        finest(st.integers(-(10**9), 10**9), 6).filter(bool), finest(st.integers(1, 10**9), 6)
    ),
    max_size=30,
)


@given(coarse)
def test_the_desks_model_costs_alike(fills: list[tuple[Decimal, Decimal]]) -> None:
    assert costed(fills).decimals() == by_average_cost(fills)


@given(costly, prices)
def test_realized_and_unrealized_are_market_value_less_net_paid_and_fees(
    fills: Fills, mark: Decimal
) -> None:
    quantity, cost, realized = costed(fills).decimals()
    net_paid = sum((q * p + fee for q, p, fee in fills), D(0))
    assert quantity == sum((q for q, *_ in fills), D(0))
    assert realized + (quantity * mark - cost) == quantity * mark - net_paid


@given(trades)
def test_cost_has_the_sign_of_what_is_held_and_nothing_held_costs_nothing(
    fills: list[tuple[Decimal, Decimal]],
) -> None:
    held, cost, _ = costed(fills)
    assert cost == 0 if held == 0 else cost * held >= 0


@given(costly, st.integers(0, 30))
def test_it_can_go_on_from_any_state(fills: Fills, cut: int) -> None:
    assert costed(fills[cut:], costed(fills[:cut])) == costed(fills)


@given(trades)
def test_two_books_of_opposite_sign_mirror_each_other(
    fills: list[tuple[Decimal, Decimal]],
) -> None:
    mirrored = costed((-q, p) for q, p in fills)
    assert mirrored == tuple(-n for n in costed(fills))
