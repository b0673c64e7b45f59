"""What is kept of the exchange's calendar is what the library says of it, day by day."""

from datetime import UTC

import exchange_calendars

from prices.sessions.calendar import (
    EXCHANGE,
    FIRST_DAY,
    LAST_DAY,
    PUBLISHED,
    Session,
    published_calendar,
)
from prices.sessions.published import published_text


def test_every_session_is_as_the_library_has_it() -> None:
    """Else `python -m prices.sessions.published`: the library learned of a holiday."""
    library = exchange_calendars.get_calendar(EXCHANGE, start=str(FIRST_DAY), end=str(LAST_DAY))
    days = [stamp.date() for stamp in library.sessions.to_pydatetime()]
    moments = zip(library.opens.dt.to_pydatetime(), library.closes.dt.to_pydatetime(), strict=True)
    theirs = {
        day: Session(day, opens.astimezone(UTC), closes.astimezone(UTC))
        for day, (opens, closes) in zip(days, moments, strict=True)
    }
    calendar = published_calendar()
    assert calendar.between(FIRST_DAY, LAST_DAY) == days
    assert {day: calendar.get(day) for day in days} == theirs
    assert PUBLISHED.read_text() == published_text()
