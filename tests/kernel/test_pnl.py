"""The arithmetic against the reference system's screen, and its invariants."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.pnl import session_pnl, signed, trade_pnl

D = Decimal
quantities = st.integers(-(10**6), 10**6).map(lambda n: D(n) / 1000)
prices = st.integers(1, 10**8).map(lambda n: D(n) / 10000)
trades = st.lists(st.tuples(quantities, prices), max_size=8)


@pytest.mark.parametrize(
    ("bought", "previous_close", "mark", "trade", "position"),
    [  # the reference system's own screen
        ([("10", "10"), ("30", "10")], "195.61", "192.81", "7424.40", "-112.00"),
        ([("10", "10"), ("90", "10")], "143.33", "144.07", "13333.00", "74.00"),
    ],
)
def test_session_pnl_gives_the_figures_of_the_reference_screen(
    bought: list[tuple[str, str]], previous_close: str, mark: str, trade: str, position: str
) -> None:
    traded = sum((D(q) for q, _ in bought), D(0))
    pnl = session_pnl(
        closing_quantity=traded,
        traded_quantity=traded,
        traded_notional=sum((D(q) * D(p) for q, p in bought), D(0)),
        previous_close=D(previous_close),
        mark=D(mark),
    )
    assert (pnl.trade_pnl, pnl.position_pnl) == (D(trade), D(position))


def test_a_sale_through_zero_has_the_right_sign() -> None:
    """100 held, previous close 50, sold 150 @ 52, mark 51."""
    pnl = session_pnl(
        closing_quantity=D(-50),
        traded_quantity=D(-150),
        traded_notional=D(-150) * 52,
        previous_close=D(50),
        mark=D(51),
    )
    assert (pnl.trade_pnl, pnl.position_pnl, pnl.total_pnl) == (D(300), D(-50), D(250))


@given(trades, quantities, prices, prices)
def test_total_is_what_the_book_gained(
    book: list[tuple[D, D]], opening: D, previous: D, mark: D
) -> None:
    """Total P&L = value at the mark − value at the previous close of what was held at the open −
    what was paid, exactly."""
    traded = sum((q for q, _ in book), D(0))
    paid = sum((q * p for q, p in book), D(0))
    pnl = session_pnl(
        closing_quantity=opening + traded,
        traded_quantity=traded,
        traded_notional=paid,
        previous_close=previous,
        mark=mark,
    )
    assert pnl.total_pnl == (opening + traded) * mark - opening * previous - paid


@given(trades, prices, prices)
def test_opened_today_gains_mark_minus_price(book: list[tuple[D, D]], previous: D, mark: D) -> None:
    """For a position opened today the previous close cancels out."""
    traded = sum((q for q, _ in book), D(0))
    figures = [
        session_pnl(
            closing_quantity=traded,
            traded_quantity=traded,
            traded_notional=sum((q * p for q, p in book), D(0)),
            previous_close=close,
            mark=mark,
        ).total_pnl
        for close in (previous, None)
    ]
    assert figures[0] == figures[1] == sum(((mark - p) * q for q, p in book), D(0))


@given(trades, prices)
def test_trades_pnl_add_up(book: list[tuple[D, D]], previous: D) -> None:
    traded = sum((q for q, _ in book), D(0))
    pnl = session_pnl(
        closing_quantity=traded,
        traded_quantity=traded,
        traded_notional=sum((q * p for q, p in book), D(0)),
        previous_close=previous,
        mark=previous,
    )
    assert pnl.trade_pnl == sum((trade_pnl(previous, p, q) for q, p in book), D(0))


def test_a_missing_price_gives_none_and_never_zero() -> None:
    held: dict[str, Any] = {
        "closing_quantity": D(10),
        "traded_quantity": D(0),
        "traded_notional": D(0),
    }
    assert session_pnl(**held, previous_close=None, mark=D(5)).position_pnl is None
    assert session_pnl(**held, previous_close=None, mark=D(5)).total_pnl is None
    bought: dict[str, Any] = {
        "closing_quantity": D(10),
        "traded_quantity": D(10),
        "traded_notional": D(100),
    }
    nothing = session_pnl(**bought, previous_close=None, mark=None)
    assert nothing.trade_pnl is None
    assert nothing.position_pnl is None


def test_a_price_that_is_not_needed_may_be_missing() -> None:
    """Bought 100 @ 10 and sold 100 @ 12 today: 200, whatever the prices."""
    pnl = session_pnl(
        closing_quantity=D(0),
        traded_quantity=D(0),
        traded_notional=D(1000 - 1200),
        previous_close=None,
        mark=None,
    )
    assert (pnl.trade_pnl, pnl.position_pnl) == (D(200), D(0))


def test_without_a_mark_the_previous_close_marks() -> None:
    pnl = session_pnl(
        closing_quantity=D(10),
        traded_quantity=D(0),
        traded_notional=D(0),
        previous_close=D(7),
        mark=None,
    )
    assert (pnl.trade_pnl, pnl.position_pnl) == (D(0), D(0))


def test_a_buy_is_signed_positive_and_a_sell_negative() -> None:
    assert (signed("buy", D(3)), signed("sell", D(3))) == (D(3), D(-3))
