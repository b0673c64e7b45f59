"""The row of a price that users see, composed here for REST and websocket."""

from datetime import datetime

from kernel.api.rows import Row, moment, text
from prices.marks import Mark


def price_age(as_of: datetime | None, now: datetime) -> int | None:
    """Whole seconds since the time of a price, never below 0."""
    return None if as_of is None else max(0, int((now - as_of).total_seconds()))


def price_row(mark: Mark, now: datetime) -> Row:
    """The mark of the business date as a row."""
    return {
        "ticker": mark.ticker,
        "price": text(mark.mark),
        "as_of": moment(mark.mark_as_of),
        "age_seconds": price_age(mark.mark_as_of, now),
        "stale": mark.stale,
        "source": mark.price_source,
        "override": mark.is_override,
        "doubtful": mark.doubtful,
        "previous_close": text(mark.previous_close),
    }
