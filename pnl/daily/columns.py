"""The columns of end-of-day P&L that are computed: written, compared, read and verified by name."""

from kernel.pnl import AMOUNTS

KEY = ("session", "account_id", "instrument_id")

# Each column of pnl_dailypnl, and the column of `COMPUTED` that it is of.
STORED = {
    "opening_quantity": "opening",
    "closing_quantity": "held",
    "trades": "trades",
    "previous_close": "previous_close",
    "mark": "mark",
    "price_source": "price_source",
    "previous_close_as_traded": "as_traded_apart",
    **{name: name for name in AMOUNTS},
    "pnl_reason": "pnl_reason",
}
