"""The kinds of rows that a board has besides trades. A further one is a line here."""

from blotter.live.kind import Kind
from blotter.rows import position_rows, total_rows

KINDS = (
    Kind("positions", position_rows, key="ticker", by_instrument=True),
    Kind("totals", total_rows, moment="calculated_at"),
)
