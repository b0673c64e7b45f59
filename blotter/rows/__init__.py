"""The rows that users see, composed in one place for REST, websocket, admin and files, field for
field."""

from blotter.rows.pnl import days_with_pnl, pnl_rows, total_rows
from blotter.rows.position import position_rows, position_rows_as_of
from blotter.rows.price import price_rows
from blotter.rows.strategy import strategy_pnl_rows, strategy_position_rows
from blotter.rows.today import Today, today_at
from prices.rows import price_age, price_row

__all__ = [
    "Today",
    "days_with_pnl",
    "pnl_rows",
    "position_rows",
    "position_rows_as_of",
    "price_age",
    "price_row",
    "price_rows",
    "strategy_pnl_rows",
    "strategy_position_rows",
    "today_at",
    "total_rows",
]
