"""Holdings and daily activity: what today's P&L is computed from, under one checkpoint, so that
P&L is never torn between what is held and what was traded."""

from trades.sums import SumProjection, SumTable

ACTIVITY = SumProjection(
    "pnl",
    [
        SumTable("pnl_holding", key=("account_id", "instrument_id"), sums=("quantity",)),
        SumTable(
            "pnl_dailyactivity",
            key=("account_id", "trade_date", "instrument_id"),
            sums=("quantity", "notional", "trades"),
            last_entry=False,
        ),
    ],
)
