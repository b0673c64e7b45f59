"""Corrections: what late entries changed in the P&L of earlier sessions, by the session in which
they were recorded."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from kernel import prepared
from kernel.pnl import traded_pnl_sql
from pnl.reasons import NO_PREVIOUS_CLOSE
from prices.closes.effective_close import source_params
from prices.sessions import Sessions, sessions
from trades.ledger.sql import late_entries

# Times have microseconds: an entry recorded at the very end belongs to the session that ended.
_MOMENT = timedelta(microseconds=1)

# Dated before the last of the sessions, and recorded after the end of the one before the first.
_LATE = late_entries("%(last_day)s::date - 1", "%(first)s")

# (session, account id, instrument id) → P&L, None where the close that it needs is missing.
Corrections = dict[tuple[date, int, int], Decimal | None]


def reason_with(correction: Decimal | None, reason: str | None) -> str | None:
    """The `pnl_reason` of a row with this `correction_pnl`, where that of its other figures is
    `reason`. What a correction lacks is a previous close, which goes before every other reason."""
    return NO_PREVIOUS_CLOSE if correction is None else reason


def live_corrections(
    *, accounts: Iterable[int], now: datetime
) -> dict[tuple[int, int], Decimal | None]:
    """`correction_pnl` of the business date so far, by (account id, instrument id)."""
    known = sessions()
    found = session_corrections(
        accounts=accounts, days=[known.business_date(now)], now=now, known=known
    )
    return {(account, instrument): pnl for (_, account, instrument), pnl in found.items()}


def session_corrections(
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
    found = prepared.rows_planned(
        f"""
            WITH late AS MATERIALIZED (
                SELECT (%(days)s::date[])[n] AS session, (%(previous)s::date[])[n] AS previous,
                       account_id, instrument_id, sum(quantity) AS quantity,
                       sum(notional) AS notional
                  FROM (
                    SELECT e.*, width_bucket(e.recorded_at, %(ends)s::timestamptz[]) AS n
                      FROM ({_LATE}) e
                     WHERE e.account_id = ANY(%(accounts)s) AND e.recorded_at <= %(last)s
                  ) e
                 WHERE trade_date < (%(days)s::date[])[n]
                 GROUP BY n, account_id, instrument_id
            )
            SELECT l.session, l.account_id, l.instrument_id,
                   {traded_pnl_sql("c.close", "l.quantity", "l.notional")}
              FROM late l
              LEFT JOIN (
                SELECT * FROM eqtrade_effective_closes(%(previous)s::date[], %(source)s)
                 WHERE instrument_id = ANY(ARRAY(SELECT DISTINCT instrument_id FROM late))
              ) c ON c.instrument_id = l.instrument_id AND c.session = l.previous
            """,
        {
            "accounts": list(accounts),
            "days": prepared.array(asked),
            "previous": prepared.array(previous),
            "ends": prepared.array(end + _MOMENT for end in ends),
            "first": ends[0],
            "last": min(now, ends[-1]),
            "last_day": asked[-1],
            **source_params(),
        },
    )
    return {(row[0], row[1], row[2]): row[3] for row in found}


def correction_sums(found: Mapping[tuple[int, int], Decimal | None]) -> dict[int, Decimal]:
    """The sums of what is known of `live_corrections`, by account id."""
    sums: dict[int, Decimal] = {}
    for (account, _), pnl in found.items():
        sums[account] = sums.get(account, Decimal(0)) + (pnl or Decimal(0))
    return sums
