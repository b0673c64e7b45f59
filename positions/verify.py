"""Positions against the trades as they are now."""

from trades.ledger.verify import Break, quantity_breaks


def position_breaks() -> list[Break]:
    return quantity_breaks("position", "positions_position", "positions")
