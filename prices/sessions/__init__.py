"""Exchange sessions: the published calendar, and the sessions as they are kept."""

from prices.sessions.calendar import Session
from prices.sessions.current import (
    CALENDAR_STAMP_SQL,
    NoSession,
    Sessions,
    business_date,
    completed_sessions,
    day_start,
    is_open,
    is_session,
    next_session,
    previous_session,
    read_once,
    session_of,
    sessions,
    sessions_at,
    sessions_between,
    sessions_cached,
)

__all__ = [
    "CALENDAR_STAMP_SQL",
    "NoSession",
    "Session",
    "Sessions",
    "business_date",
    "completed_sessions",
    "day_start",
    "is_open",
    "is_session",
    "next_session",
    "previous_session",
    "read_once",
    "session_of",
    "sessions",
    "sessions_at",
    "sessions_between",
    "sessions_cached",
]
