"""What late entries changed in the P&L of earlier sessions, by the session that learned of it."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import connection

from prices.closes.effective_close import BEST_FIRST, COUNTING, source_params
from prices.sessions import Sessions

# Times have microseconds: what was recorded at the very end belongs to the session that ended.
_MOMENT = timedelta(microseconds=1)

# (session, account id, instrument id) → P&L, None where the close that it needs is missing.
Corrections = dict[tuple[date, int, int], Decimal | None]

NO_PREVIOUS_CLOSE = "no_previous_close"


def reason_with(correction: Decimal | None, reason: str | None) -> str | None:
    """The `pnl_reason` of a row with this `correction_pnl`, where that of its other figures is
    `reason`. What a correction lacks is a previous close, which goes before every other reason."""
    return NO_PREVIOUS_CLOSE if correction is None else reason


def past_corrections(
    *, accounts: Iterable[int], days: Iterable[date], now: datetime, known: Sessions
) -> Corrections:
    """`correction_pnl` of each of these sessions, which must follow one another: what entries with
    earlier trade dates, recorded after the previous session's end and up to this session's (or
    now), changed in the P&L of all earlier sessions.

    The sessions' figures telescope: an entry of q at price p that should have been there changes
    them by q × previous close − q × p in all.
    """
    asked = sorted(set(days))
    if not asked:
        return {}
    previous = [known.previous_session(day) for day in asked]
    ends = [known.session_of(day).closes for day in (previous[0], *asked)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH late AS (
                SELECT (%(days)s::date[])[n] AS session, (%(previous)s::date[])[n] AS previous,
                       account_id, instrument_id, sum(quantity) AS quantity,
                       sum(notional) AS notional
                  FROM (
                    SELECT e.*, width_bucket(e.recorded_at, %(ends)s::timestamptz[]) AS n
                      FROM trades_ledgerentry e
                     WHERE e.account_id = ANY(%(accounts)s) AND e.recorded_at > %(first)s
                       AND e.recorded_at <= %(last)s AND e.trade_date < %(last_day)s
                  ) e
                 WHERE trade_date < (%(days)s::date[])[n]
                 GROUP BY n, account_id, instrument_id
            )
            SELECT l.session, l.account_id, l.instrument_id,
                   CASE WHEN l.quantity = 0 THEN -l.notional
                        ELSE c.close * l.quantity - l.notional END
              FROM late l
              LEFT JOIN (
                SELECT DISTINCT ON (instrument_id, session) instrument_id, session, close
                  FROM prices_close
                 WHERE session = ANY(%(previous)s::date[]) AND {COUNTING}
                   AND instrument_id IN (SELECT instrument_id FROM late)
                 ORDER BY instrument_id, session, {BEST_FIRST}
              ) c ON c.instrument_id = l.instrument_id AND c.session = l.previous
            """,
            {
                "accounts": list(accounts),
                "days": asked,
                "previous": previous,
                "ends": [end + _MOMENT for end in ends],
                "first": ends[0],
                "last": min(now, ends[-1]),
                "last_day": asked[-1],
                **source_params(),
            },
        )
        return {(row[0], row[1], row[2]): row[3] for row in cursor.fetchall()}
