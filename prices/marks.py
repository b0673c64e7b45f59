"""The mark of the business date: one place that decides, as traded (prices.current_marks has it in
the terms that corporate actions give the shares).

Mark = the first that exists: an active override; the newer of the session's close (timed at the
session's end) and the last quote since 00:00 New York of that date (a real source's quotes from
outside the session's hours never mark, simulated ones do); the previous close. Which close is
effective is decided in prices.closes.effective_close.

`MARKS` is a CTE body for other apps' queries, with the columns instrument_id, mark, mark_source,
mark_as_of, price_source, previous_close, stale, previous_carried, mark_carried, previous_doubtful,
mark_doubtful, is_override; its parameters come from `mark_params`. `mark_carried` is of the
session's own close; of a mark that is the previous close, `previous_carried` tells. Doubtful is
what stands in for a price that is held back (prices.models.doubts). It joins whole sets: a lookup
an instrument took three times as long for 503. Each set is found once (MATERIALIZED), whatever the
planner expects: a plan made while the tables were empty would find them anew for each instrument,
which took minutes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings

from kernel import prepared
from prices.actions.read import LAST_DECISION_SQL
from prices.closes.effective_close import source_params
from prices.models import CARRIED, MANUAL
from prices.sessions import Sessions, day_start, sessions

SIMULATED = "simulated"
CLOCK_MARGIN = timedelta(seconds=5)

_NAMED = "? = ANY(%(instruments)s::bigint[])"
_NAMED_OR_ALL = f"(%(instruments)s::bigint[] IS NULL OR {_NAMED})"
_WANTED, _WANTED_HERE = "/* wanted: instrument_id */", "/* wanted: i.id */"

_CURRENT = "/* current */"
# A price that was set before the terms of the share changed is of another share.
_OF_THESE_TERMS = """
               AND (created_at >= %(day_start)s
                    OR instrument_id <> ALL(%(ref_instruments)s::bigint[]))"""

_MARKS = f"""
    WITH override AS MATERIALIZED (
        SELECT DISTINCT ON (instrument_id) instrument_id, price, created_at
          FROM prices_priceoverride
         WHERE ended_at IS NULL AND expires_at > %(now)s{_CURRENT}
         ORDER BY instrument_id, id DESC
    ), previous AS MATERIALIZED (
        SELECT instrument_id, close, source
          FROM eqtrade_effective_closes(ARRAY[%(previous_session)s::date], %(source)s)
         WHERE {_WANTED}
    ), today AS MATERIALIZED (
        SELECT instrument_id, close, source
          FROM eqtrade_effective_closes(ARRAY[%(business_date)s::date], %(source)s)
         WHERE {_WANTED} AND %(session_closes)s <= %(now)s
    ), quoted AS MATERIALIZED (
        SELECT DISTINCT ON (instrument_id) instrument_id, price, as_of, source
          FROM prices_quote
         WHERE source IN (%(manual)s, %(source)s)
           AND as_of BETWEEN %(day_start)s AND %(quotes_until)s AND {_WANTED}
           AND (source <> %(source)s OR %(any_hour)s
                OR as_of BETWEEN %(session_opens)s AND %(session_closes)s)
         ORDER BY instrument_id, source <> %(manual)s
    ), doubted AS MATERIALIZED (
        SELECT instrument_id,
               bool_or(session = %(business_date)s AND kind <> 'rewritten') AS mark,
               bool_or(session = %(previous_session)s AND kind <> 'quote'
                       AND (kind = 'moved' OR raised_at <= %(session_closes)s)) AS previous
          FROM prices_closedoubt
         WHERE state = 'held' AND source = %(source)s
           AND session IN (%(business_date)s, %(previous_session)s) AND {_WANTED}
         GROUP BY instrument_id
    )
    SELECT p.instrument_id,
           p.previous_close,
           coalesce(p.override_price, CASE WHEN p.by_close THEN p.close END, p.quote,
                    p.previous_close) AS mark,
           CASE WHEN p.override_price IS NOT NULL THEN 'override'
                WHEN p.by_close AND p.close_source = %(carried)s THEN 'carried'
                WHEN p.by_close THEN 'close'
                WHEN p.quote IS NOT NULL THEN 'quote'
                WHEN p.previous_close IS NOT NULL THEN 'previous_close'
           END AS mark_source,
           CASE WHEN p.override_price IS NOT NULL THEN p.override_at
                WHEN p.by_close THEN %(session_closes)s
                WHEN p.quote IS NOT NULL THEN p.quote_as_of
                WHEN p.previous_close IS NOT NULL THEN %(previous_closes)s
           END AS mark_as_of,
           CASE WHEN p.override_price IS NOT NULL THEN %(manual)s
                WHEN p.by_close THEN p.close_source
                WHEN p.quote IS NOT NULL THEN p.quote_source
                ELSE p.previous_source
           END AS price_source,
           p.override_price IS NULL AND NOT p.by_close AND %(is_open)s
               AND coalesce(p.quote_as_of, %(session_opens)s) < %(stale_before)s AS stale,
           coalesce(p.previous_source = %(carried)s, false) AS previous_carried,
           coalesce(p.override_price IS NULL AND p.by_close AND p.close_source = %(carried)s,
                    false) AS mark_carried,
           p.previous_doubtful, p.override_price IS NULL AND p.mark_doubtful AS mark_doubtful,
           p.override_price IS NOT NULL AS is_override
      FROM (
        SELECT i.id AS instrument_id,
               o.price AS override_price, o.created_at AS override_at,
               previous.close AS previous_close, previous.source AS previous_source,
               today.close, today.source AS close_source,
               q.price AS quote, q.as_of AS quote_as_of, q.source AS quote_source,
               coalesce(d.mark, false) AS mark_doubtful,
               coalesce(d.previous, false) AS previous_doubtful,
               -- A close that was carried for want of one that is held back is older than a quote.
               today.close IS NOT NULL
                   AND (q.as_of IS NULL OR q.as_of <= %(session_closes)s
                        AND NOT (coalesce(d.mark, false) AND today.source = %(carried)s))
                   AS by_close
          FROM prices_instrument i
          LEFT JOIN override o ON o.instrument_id = i.id
          LEFT JOIN previous ON previous.instrument_id = i.id
          LEFT JOIN today ON today.instrument_id = i.id
          LEFT JOIN quoted q ON q.instrument_id = i.id
          LEFT JOIN doubted d ON d.instrument_id = i.id
         WHERE {_WANTED_HERE}
      ) p
"""


def marks_sql(of: str = "", *, one: str = "", acted: bool = False) -> str:
    """The CTE body `MARKS`; with `of`, a query that selects instrument ids, for those alone: a few
    cost a few looks into indexes, where all cost a pass over the session's closes. `one` is the
    expression of a single id. `acted`: the terms of %(ref_instruments)s changed with this session,
    and overrides of before ended."""
    if one:
        return _marks_of(f"? = {one}", acted=acted)
    return _marks_of(f"? = ANY(ARRAY({of}))" if of else _NAMED_OR_ALL, acted=acted)


def _marks_of(wanted: str, *, acted: bool = False) -> str:
    """`MARKS` of the instruments for which this condition on `?` holds."""
    found = _MARKS.replace(_WANTED, wanted.replace("?", "instrument_id"))
    found = found.replace(_WANTED_HERE, wanted.replace("?", "i.id"))
    return found.replace(_CURRENT, _OF_THESE_TERMS) if acted else found


MARKS = marks_sql()


def mark_params(
    now: datetime, instruments: Iterable[int] | None = None, *, known: Sessions | None = None
) -> dict[str, Any]:
    """The parameters of `MARKS` at a moment; `instruments=None` means all. Who knows the sessions
    passes them."""
    known = known or sessions()
    today = known.business_date(now)
    previous = known.previous_session(today)
    session, before = known.session_of(today), known.session_of(previous)
    return {
        "business_date": today,
        "previous_session": previous,
        "day_start": day_start(today),
        "session_opens": session.opens,
        "session_closes": session.closes,
        "previous_closes": before.closes,
        "is_open": session.opens <= now < session.closes,
        "now": now,
        # Only the latest quote is kept. One that came between this clock and the query's snapshot,
        # or from a host whose clock is a little ahead, must not hide it.
        "quotes_until": now + CLOCK_MARGIN,
        "stale_before": now - timedelta(seconds=settings.PRICE_STALE_AFTER_SECONDS),
        **source_params(),
        "manual": MANUAL,
        "carried": CARRIED,
        "any_hour": settings.PRICE_SOURCE == SIMULATED,
        "instruments": None if instruments is None else list(instruments),
    }


_BY_TICKER = f"""
    SELECT m.instrument_id, i.ticker, m.previous_close, m.mark, m.mark_source, m.mark_as_of,
           m.price_source, m.stale, m.previous_carried OR m.mark_carried,
           m.previous_doubtful OR m.mark_doubtful, m.is_override, {LAST_DECISION_SQL}
      FROM m JOIN prices_instrument i ON i.id = m.instrument_id ORDER BY i.ticker
"""
_ALL_BY_TICKER = f"WITH m AS ({_marks_of('true')}) {_BY_TICKER}"
_NAMED_BY_TICKER = f"WITH m AS ({_marks_of(_NAMED)}) {_BY_TICKER}"
_ACTED_BY_TICKER = f"WITH m AS ({_marks_of(_NAMED, acted=True)}) {_BY_TICKER}"
# Beyond so many all are read, and those wanted picked out: each row of each set would be compared
# with all that are named.
FEW_INSTRUMENTS = 64


@dataclass(frozen=True, slots=True)
class Mark:
    """One instrument's prices for the business date, in its currency."""

    instrument_id: int
    ticker: str
    previous_close: Decimal | None
    mark: Decimal | None
    mark_source: str | None
    mark_as_of: datetime | None
    price_source: str | None
    stale: bool
    carried: bool
    doubtful: bool
    is_override: bool


def marks_as_traded(
    now: datetime, instruments: Iterable[int] | None = None
) -> tuple[list[Mark], int | None]:
    """The marks of the business date, by ticker, whatever corporate actions say; and the last
    decision about those (prices.actions.read.actions_at), found by the same statement. Instruments
    without any price are included."""
    named = None if instruments is None else set(instruments)
    if named is not None and len(named) <= FEW_INSTRUMENTS:
        found = prepared.rows(_NAMED_BY_TICKER, mark_params(now, named))
    else:
        found = prepared.rows(_ALL_BY_TICKER, mark_params(now))
    marks = [Mark(*row[:-1]) for row in found if named is None or row[0] in named]
    return marks, found[0][-1] if found else None


def marks_of_these_terms(now: datetime, instruments: Iterable[int]) -> list[Mark]:
    """The marks of instruments whose terms change with the business date: an override of before is
    of another share."""
    named = list(instruments)
    params = {**mark_params(now, named), "ref_instruments": named}
    return [Mark(*row[:-1]) for row in prepared.rows(_ACTED_BY_TICKER, params)]
