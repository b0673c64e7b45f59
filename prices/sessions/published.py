"""`python -m prices.sessions.published`: writes anew what the calendar's library says."""

import json
from datetime import date, datetime, time, timedelta

from kernel.clock import NEW_YORK
from prices.sessions.calendar import (
    CLOSES,
    EXCHANGE,
    FIRST_DAY,
    LAST_DAY,
    OPENS,
    PUBLISHED,
    SATURDAY,
)


def published_text() -> str:
    """The file's text. Raises ValueError for what the file has no words for."""
    import exchange_calendars

    calendar = exchange_calendars.get_calendar(EXCHANGE, start=str(FIRST_DAY), end=str(LAST_DAY))
    opens = [_new_york(each) for each in calendar.opens.dt.to_pydatetime()]
    closes = [_new_york(each) for each in calendar.closes.dt.to_pydatetime()]
    days = [stamp.date() for stamp in calendar.sessions.to_pydatetime()]
    if {each[1] for each in opens} != {OPENS} or any(d.weekday() >= SATURDAY for d in days):
        raise ValueError("a session opens at another time, or on a weekend")
    if [each[0] for each in opens] != days or [each[0] for each in closes] != days:
        raise ValueError("a session opens or closes on another day than its own")
    early: dict[str, list[str]] = {}
    for day, (_, close) in zip(days, closes, strict=True):
        if close != CLOSES:
            early.setdefault(f"{close:%H:%M}", []).append(str(day))
    span = (FIRST_DAY + timedelta(n) for n in range((LAST_DAY - FIRST_DAY).days + 1))
    closed = sorted({str(d) for d in span if d.weekday() < SATURDAY} - set(map(str, days)))
    return json.dumps({"closed": closed, "early": early}, indent=1) + "\n"


def _new_york(moment: datetime) -> tuple[date, time]:
    there = moment.astimezone(NEW_YORK)
    return there.date(), there.time()


if __name__ == "__main__":
    PUBLISHED.write_text(published_text())
