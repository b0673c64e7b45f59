"""Days and times as people and programs write them: one way to read them, without a framework."""

import re
from datetime import UTC, date, datetime, tzinfo

# Nothing was traded here before; earlier times also fall off the calendar in other zones.
EARLIEST_YEAR = 1970

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", re.ASCII)
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?P<between>[T ])[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?"
    r"(?P<offset>Z|[+-][0-9]{2}:[0-9]{2})?\Z",
    re.ASCII,
)


def moment_text(moment: datetime) -> str:
    """A time in UTC as it stands in answers: ISO 8601, with a Z."""
    return moment.isoformat().replace("+00:00", "Z")


def read_day(text: str) -> date:
    """A date such as 2026-01-31; raises ValueError for everything else."""
    if not _DAY.match(text):
        raise ValueError("not a date")
    return date.fromisoformat(text)


def read_moment(text: str, *, blank: bool = False, zone: tzinfo | None = None) -> datetime:
    """A time such as 2026-01-31T10:00:00-05:00, in UTC; raises ValueError for everything else.

    With `blank` a blank may stand for the T; with `zone` the offset may be left away, and then the
    time is that of the zone's clock.
    """
    match = _MOMENT.match(text)
    if match is None or (match["between"] == " " and not blank):
        raise ValueError("not a time")
    if match["offset"] is None and zone is None:
        raise ValueError("not a time with an offset")
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        moment = moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("not a time of this calendar") from error
    if moment.year < EARLIEST_YEAR:
        raise ValueError("before the earliest year")
    return moment
