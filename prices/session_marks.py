"""Marks of several past sessions at once: each session's close, and the close before it.

`SESSION_MARKS` are CTEs for other apps' queries. Whoever uses them names two CTEs before, `days`
(session, previous, ends) and `priced` (instrument_id), and passes `session_mark_params`. The last
of them, `marks`, has the columns of prices.marks and `session`. Which closes count is decided in
prices.closes.effective_close.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from prices.closes.effective_close import BEST_FIRST, COUNTING, source_params
from prices.models import CARRIED
from prices.sessions import Sessions

# The CTE `days`, from `session_mark_params`.
DAYS = """
    SELECT * FROM unnest(%(days)s::date[], %(previous_days)s::date[], %(days_end)s::timestamptz[])
        AS d (session, previous, ends)
"""

SESSION_MARKS = f"""
    closes AS MATERIALIZED (
        SELECT DISTINCT ON (instrument_id, session) instrument_id, session, close, source
          FROM prices_close
         WHERE session = ANY(%(closing_days)s::date[]) AND {COUNTING}
           AND instrument_id IN (SELECT instrument_id FROM priced)
         ORDER BY instrument_id, session, {BEST_FIRST}
    ), marks AS MATERIALIZED (
        SELECT d.session, p.instrument_id, previous.close AS previous_close, closed.close AS mark,
               CASE WHEN closed.source = %(carried)s THEN 'carried'
                    WHEN closed.close IS NOT NULL THEN 'close' END AS mark_source,
               CASE WHEN closed.close IS NOT NULL THEN d.ends END AS mark_as_of,
               closed.source AS price_source, false AS stale,
               coalesce(previous.source = %(carried)s, false) AS previous_carried,
               coalesce(closed.source = %(carried)s, false) AS mark_carried
          FROM days d
         CROSS JOIN (SELECT DISTINCT instrument_id FROM priced) p
          LEFT JOIN closes previous
            ON previous.instrument_id = p.instrument_id AND previous.session = d.previous
          LEFT JOIN closes closed
            ON closed.instrument_id = p.instrument_id AND closed.session = d.session
    )
"""


def session_mark_params(known: Sessions, days: Iterable[date]) -> dict[str, Any]:
    """The parameters of `DAYS` and `SESSION_MARKS` for these sessions. Raises NoSession when the
    exchange did not trade on one of them."""
    asked = sorted(set(days))
    previous = [known.previous_session(day) for day in asked]
    ends: list[datetime] = [known.session_of(day).closes for day in asked]
    return {
        "days": asked,
        "previous_days": previous,
        "days_end": ends,
        "closing_days": sorted({*asked, *previous}),
        **source_params(),
        "carried": CARRIED,
    }
