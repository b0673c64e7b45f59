"""Price rows of the business date."""

from collections.abc import Iterable

from blotter.rows.today import Today
from kernel.api.rows import Row
from prices.current_marks import marks
from prices.rows import price_row


def price_rows(*, today: Today, instruments: Iterable[int] | None = None) -> list[Row]:
    """Prices of the business date for instruments that have one, by ticker."""
    return [price_row(m, today.now) for m in marks(today.now, instruments) if m.mark is not None]
