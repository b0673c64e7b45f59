"""Sums by trade date, against adding everything up anew."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from trades.running_position import RunningPosition

DAY = date(2026, 3, 16)
ROWS = st.lists(st.tuples(st.integers(0, 4), st.integers(-6, 6).filter(bool)), max_size=25)


def lowered_below(taken: list[tuple[int, int]], day: int, quantity: int) -> tuple[int, int] | None:
    """The first day from `day` on, with rows or asked about, whose sum the quantity lowers to
    below zero."""
    if quantity > 0:
        return None
    for each in sorted({day, *(d for d, _ in taken if d > day)}):
        total = sum(q for d, q in taken if d <= each) + quantity
        if total < 0:
            return each, total
    return None


@given(ROWS, ROWS)
def test_rows_are_refused_exactly_when_a_sum_would_be_lowered_below_zero(
    held: list[tuple[int, int]], rows: list[tuple[int, int]]
) -> None:
    sums: dict[date, Decimal] = {}
    for day, quantity in held:
        when = DAY + timedelta(day)
        sums[when] = sums.get(when, Decimal(0)) + quantity
    running, taken = RunningPosition(sums), list(held)
    for day, quantity in rows:
        expected = lowered_below(taken, day, quantity)
        found = running.short_after({DAY + timedelta(day): Decimal(quantity)})
        assert found == (expected and (DAY + timedelta(expected[0]), Decimal(expected[1])))
        total = sum(q for _, q in taken)
        assert running.held == total
        assert running.grows(Decimal(quantity)) == (abs(total + quantity) > abs(total))
        if found is None:
            running.add({DAY + timedelta(day): Decimal(quantity)})
            taken.append((day, quantity))
