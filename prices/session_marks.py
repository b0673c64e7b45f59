"""Marks of past sessions, one or several at once: each session's close, and the close before it.

`SESSION_MARKS` are CTEs for other apps' queries. Whoever uses them names the CTE `priced`
(instrument_id) before and passes `session_mark_params`. The first of them is `days` (session,
previous, ends); the last, `marks`, has the columns of prices.marks and `session`. A close that is
held back makes its session's mark doubtful, and the next one's previous close; where it would
rewrite one that was recorded, only the latter, and only if that was known by the session's end:
what was final before stays so. Which close is effective is decided in
prices.closes.effective_close.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from prices.closes.effective_close import source_params
from prices.models import CARRIED
from prices.sessions import Sessions

SESSION_MARKS = """
    days AS MATERIALIZED (
        SELECT * FROM unnest(%(days)s::date[], %(previous_days)s::date[], %(ends)s::timestamptz[])
            AS d (session, previous, ends)
    ), closes AS MATERIALIZED (
        SELECT instrument_id, session, close, source
          FROM eqtrade_effective_closes(%(closing_days)s::date[], %(source)s)
         WHERE %(priced)s::bigint[] IS NULL
               AND instrument_id = ANY(ARRAY(SELECT DISTINCT instrument_id FROM priced))
            OR instrument_id = ANY(%(priced)s::bigint[])
    ), doubted AS MATERIALIZED (
        SELECT instrument_id, session, bool_or(kind = 'moved') AS is_unknown,
               min(raised_at) FILTER (WHERE kind = 'rewritten') AS rewritten_at
          FROM prices_closedoubt
         WHERE state = 'held' AND source = %(source)s AND kind <> 'quote'
           AND session = ANY(%(closing_days)s::date[])
         GROUP BY instrument_id, session
    ), marks AS MATERIALIZED (
        SELECT d.session, p.instrument_id, previous.close AS previous_close, closed.close AS mark,
               CASE WHEN closed.source = %(carried)s THEN 'carried'
                    WHEN closed.close IS NOT NULL THEN 'close' END AS mark_source,
               CASE WHEN closed.close IS NOT NULL THEN d.ends END AS mark_as_of,
               closed.source AS price_source, false AS stale,
               coalesce(previous.source = %(carried)s, false) AS previous_carried,
               coalesce(closed.source = %(carried)s, false) AS mark_carried,
               coalesce(before.is_unknown OR before.rewritten_at <= d.ends, false)
                   AS previous_doubtful,
               coalesce(of_it.is_unknown, false) AS mark_doubtful
          FROM days d
         CROSS JOIN (SELECT DISTINCT instrument_id FROM priced) p
          LEFT JOIN closes previous
            ON previous.instrument_id = p.instrument_id AND previous.session = d.previous
          LEFT JOIN closes closed
            ON closed.instrument_id = p.instrument_id AND closed.session = d.session
          LEFT JOIN doubted before
            ON before.instrument_id = p.instrument_id AND before.session = d.previous
          LEFT JOIN doubted of_it
            ON of_it.instrument_id = p.instrument_id AND of_it.session = d.session
    )
"""


def session_mark_params(
    known: Sessions, days: Iterable[date], instruments: Iterable[int] | None = None
) -> dict[str, Any]:
    """The parameters of `SESSION_MARKS` for these sessions. Who knows the instruments of `priced`
    names them: then the planner knows how many there are. Raises NoSession when the exchange did
    not trade on one of the sessions."""
    asked = sorted(set(days))
    previous = [known.previous_session(day) for day in asked]
    ends: list[datetime] = [known.session_of(day).closes for day in asked]
    return {
        "days": asked,
        "previous_days": previous,
        "ends": ends,
        "closing_days": sorted({*asked, *previous}),
        "priced": None if instruments is None else sorted(set(instruments)),
        **source_params(),
        "carried": CARRIED,
    }
