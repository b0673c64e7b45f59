"""Positions as a projection of the ledger: Σ signed quantity per account and instrument; and by the
day on which it settles, under a checkpoint of its own."""

from trades.ledger.sql import paid, settles_on
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

SETTLING = SumTable(
    "positions_settling",
    key=("account_id", "settlement_date", "instrument_id"),
    sums=("quantity", "amount"),
    last_entry=False,
    made={"settlement_date": settles_on("e"), "amount": paid("e")},
)
SETTLEMENT = SumProjection("settlement", [SETTLING])
