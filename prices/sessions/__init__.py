"""Exchange sessions: the published calendar, and the sessions as they are kept."""

from prices.sessions.calendar import Session
from prices.sessions.current import (
    CALENDAR_STAMP_SQL,
    NoSession,
    Sessions,
    day_start,
    read_once,
    sessions,
    sessions_at,
    sessions_cached,
)

__all__ = [
    "CALENDAR_STAMP_SQL",
    "NoSession",
    "Session",
    "Sessions",
    "day_start",
    "read_once",
    "sessions",
    "sessions_at",
    "sessions_cached",
]
