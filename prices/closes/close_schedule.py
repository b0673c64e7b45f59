"""The schedule of asking for a session's closes: arithmetic of moments alone.

At the session's end, then up to 5 times more every 10 minutes while any is missing; at 23:50 New
York once more, all of them; and again in the morning of the next session, for closes still move;
if the source fails then, every 10 minutes of that day.
A run that begins late has its retries, too: they count from its first attempt.
"""

from datetime import date, datetime, time, timedelta

from kernel.clock import NEW_YORK, new_york

RETRIES = 5
RETRY_EVERY = timedelta(minutes=10)
LATE = time(23, 50)
MORNING = time(8, 0)
# A settled session may still lack closes: of names priced only since, or lost by the source.
GAPS_EVERY = timedelta(minutes=10)


def late_attempt(session: date) -> datetime:
    """The evening's attempt. Not in UTC's date: a session ends and is asked for in New York."""
    return datetime.combine(session, LATE, NEW_YORK)


def next_attempt(session: date, attempts: int, now: datetime) -> datetime | None:
    """The time to ask again for what is missing, `attempts` having been made, the last at `now`.

    None when that was the last one.
    """
    if attempts <= RETRIES:
        return now.replace(second=0, microsecond=0) + RETRY_EVERY
    late = late_attempt(session)
    return late if now < late else None


def next_reading(session: date, following: date, now: datetime) -> datetime | None:
    """The time to read all closes of a settled session again, the last time at `now`; None:
    enough."""
    late = late_attempt(session)
    morning = datetime.combine(following, MORNING, NEW_YORK)
    return next((at for at in (late, morning) if now < at), None)


def reading_retry(now: datetime) -> datetime | None:
    """The time to try the last reading again if the one at `now` fails; None when that day is
    over."""
    at = now.replace(second=0, microsecond=0) + RETRY_EVERY
    return at if new_york(at).date() == new_york(now).date() else None
