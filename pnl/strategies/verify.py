"""Holdings and activity by strategy against the trades as they are now."""

from pnl.strategies.projection import STRATEGY
from trades.ledger.verify import Break, table_breaks


def strategy_breaks() -> list[Break]:
    return [each for table in STRATEGY.tables for each in table_breaks(table, STRATEGY.name)]
