"""Positions as a projection of the ledger: Σ signed quantity per account and instrument."""

from trades.ledger.sum_projection import SumProjection, SumTable

POSITIONS = SumProjection(
    "positions",
    [
        SumTable(
            "positions_position",
            key=("account_id", "instrument_id"),
            sums=("quantity",),
            stamps={"updated_at": "clock_timestamp()"},
        )
    ],
)
