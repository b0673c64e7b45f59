"""Positions against the trades as they are now."""

from positions.projection import SETTLEMENT, SETTLING
from trades.ledger.verify import Break, quantity_breaks, table_breaks


def position_breaks() -> list[Break]:
    return quantity_breaks("position", "positions_position", "positions")


def settlement_breaks() -> list[Break]:
    return table_breaks(SETTLING, SETTLEMENT.name)
