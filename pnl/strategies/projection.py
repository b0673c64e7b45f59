"""The projection of holdings and daily activity by strategy, under one checkpoint of its own."""

from trades.ledger.sql import SUMS, strategy_of
from trades.ledger.sum_projection import SumProjection, SumTable

_OF_STRATEGY = {"strategy_id": strategy_of("e")}
HOLDINGS = SumTable(
    "pnl_strategyholding",
    key=("account_id", "strategy_id", "instrument_id"),
    sums=("quantity",),
    last_entry=False,
    made=_OF_STRATEGY,
)
DAYS = SumTable(
    "pnl_strategyactivity",
    key=("account_id", "trade_date", "strategy_id", "instrument_id"),
    sums=SUMS,
    last_entry=False,
    made=_OF_STRATEGY,
)
STRATEGY = SumProjection("strategy", [HOLDINGS, DAYS])
