"""P&L of one key on one session, exact. No Django, no prices looked up: numbers in, numbers out.

trade P&L    = Σ (previous close − trade price) × signed quantity = previous close × q − notional
position P&L = (mark − previous close) × closing quantity
total P&L    = trade P&L + position P&L
(The reference system's definitions.) The same arithmetic stands in SQL in pnl.live.rows; a
property test holds the two together.
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


def trade_pnl(previous_close: Decimal, price: Decimal, signed_quantity: Decimal) -> Decimal:
    """What one trade gained against the previous close."""
    return (previous_close - price) * signed_quantity


def session_pnl(
    *,
    closing_quantity: Decimal,
    traded_quantity: Decimal,
    traded_notional: Decimal,
    previous_close: Decimal | None,
    mark: Decimal | None,
) -> SessionPnl:
    """P&L of a session from what was traded in it (signed) and what is held at its end.

    Without a previous close and with nothing held at the open, the mark stands in for it. A price
    that a figure does not need (nothing traded, nothing held) may be missing.
    """
    opening_quantity = closing_quantity - traded_quantity
    reference = previous_close
    if reference is None and opening_quantity == 0:
        reference = mark
    if mark is None:
        mark = previous_close
    trade: Decimal | None
    if traded_quantity == 0:
        trade = -traded_notional
    else:
        trade = None if reference is None else reference * traded_quantity - traded_notional
    position: Decimal | None
    if closing_quantity == 0:
        position = ZERO
    else:
        position = (
            None if reference is None or mark is None else (mark - reference) * closing_quantity
        )
    return SessionPnl(trade, position)
