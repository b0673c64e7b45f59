"""P&L of one key on one session, exact. No Django, no prices looked up: numbers in, numbers out.

trade P&L    = Σ (previous close − trade price) × signed quantity = previous close × q − notional
position P&L = (mark − previous close) × closing quantity
total P&L    = trade P&L + position P&L
(The reference system's definitions.) Each formula stands here in Python and in SQL; a property test
holds the two together. A figure that needs no price (nothing traded, nothing held) is there without
one, and one that lacks a price is None, null in SQL.
"""

from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True)
class SessionPnl:
    """Figures in the instrument's currency; None where a needed price is missing."""

    trade_pnl: Decimal | None
    position_pnl: Decimal | None

    @property
    def total_pnl(self) -> Decimal | None:
        if self.trade_pnl is None or self.position_pnl is None:
            return None
        return self.trade_pnl + self.position_pnl


def signed(side: str, quantity: Decimal) -> Decimal:
    """Quantity with the sign of its side: bought is positive."""
    return quantity if side == "buy" else -quantity


def traded_pnl(reference: Decimal | None, quantity: Decimal, notional: Decimal) -> Decimal | None:
    """The gain of trades of this signed quantity and notional against a reference price."""
    if quantity == 0:
        return -notional
    return None if reference is None else reference * quantity - notional


def traded_pnl_sql(reference: str, quantity: str, notional: str, *, priced: bool = False) -> str:
    """`traded_pnl` in SQL. `priced`: the reference is there in every row."""
    gained = f"{reference} * {quantity} - {notional}"
    return gained if priced else f"CASE WHEN {quantity} = 0 THEN -{notional} ELSE {gained} END"


def trade_pnl(previous_close: Decimal, price: Decimal, signed_quantity: Decimal) -> Decimal:
    """The gain of one trade against the previous close."""
    return previous_close * signed_quantity - price * signed_quantity


def value(quantity: Decimal, price: Decimal | None) -> Decimal | None:
    """Quantity × price. A flat position has value 0, even without a price."""
    if quantity == 0:
        return ZERO
    return None if price is None else quantity * price


def value_sql(quantity: str, price: str) -> str:
    """`value` in SQL."""
    return f"CASE WHEN {quantity} = 0 THEN 0 ELSE {quantity} * {price} END"


def position_pnl_sql(held: str, mark: str, reference: str) -> str:
    """The gain of the closing quantity, at the mark against the reference, in SQL."""
    return value_sql(held, f"({mark} - {reference})")


def session_pnl(
    *,
    closing_quantity: Decimal,
    traded_quantity: Decimal,
    traded_notional: Decimal,
    previous_close: Decimal | None,
    mark: Decimal | None,
) -> SessionPnl:
    """P&L of a session from what was traded in it (signed) and what is held at its end.

    Without a previous close and with nothing held at the open, the mark stands in for it.
    """
    opening_quantity = closing_quantity - traded_quantity
    reference = previous_close
    if reference is None and opening_quantity == 0:
        reference = mark
    if mark is None:
        mark = previous_close
    gain = None if reference is None or mark is None else mark - reference
    return SessionPnl(
        traded_pnl(reference, traded_quantity, traded_notional), value(closing_quantity, gain)
    )
