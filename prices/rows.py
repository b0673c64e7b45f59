"""The row of a price that users see, composed here for REST and websocket."""

from datetime import datetime

from kernel.api.rows import Row, moment, text
from prices.marks import Mark


def price_row(mark: Mark, now: datetime) -> Row:
    """The mark of the business date as a row; `age_seconds` is its age now, never below 0."""
    age = None if mark.mark_as_of is None else max(0, int((now - mark.mark_as_of).total_seconds()))
    return {
        "ticker": mark.ticker,
        "price": text(mark.mark),
        "as_of": moment(mark.mark_as_of),
        "age_seconds": age,
        "stale": mark.stale,
        "source": mark.price_source,
        "override": mark.is_override,
        "previous_close": text(mark.previous_close),
    }
