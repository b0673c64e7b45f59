"""End-of-day P&L is written by one writer at a time, in pieces of bounded size, where it differs.

A writing transaction holds back the readers of the ledger (the horizon is one for the cluster), so
that a piece is small; it locks nothing that a reader locks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.backends.utils import CursorWrapper

from pnl.acting import acting_at
from pnl.daily.columns import KEY, STORED
from pnl.daily.compute import computed, computed_params
from prices.sessions import Sessions

# Rows (keys × sessions) of one transaction: about a tenth of a second.
PIECE_ROWS = 5_000

_WRITE, _WRITE_ACTED = (
    f"""
    WITH wanted AS MATERIALIZED (
        SELECT * FROM unnest(%(key_accounts)s::bigint[], %(key_instruments)s::bigint[],
                             %(key_firsts)s::date[], %(key_lasts)s::date[])
            AS w (account_id, instrument_id, first, last)
    ), {computed(acted=acted)}, fresh AS (
        SELECT c.*, s.calculated_at IS NOT NULL AS was_calculated
          FROM computed c
          JOIN pnl_sessionrun s
            ON s.shard = c.account_id %% %(shards)s AND s.session = c.session
         WHERE c.held <> 0 OR c.trades > 0{or_acted}
            OR EXISTS (SELECT FROM pnl_dailypnl p
                        WHERE p.account_id = c.account_id AND p.session = c.session
                          AND p.instrument_id = c.instrument_id)
    )
    INSERT INTO pnl_dailypnl AS p ({", ".join((*KEY, *STORED))}, is_final, calculated_at,
                                   restated_at)
    SELECT {", ".join((*KEY, *STORED.values()))}, pnl_reason IS NULL,
           %(now)s, CASE WHEN was_calculated THEN %(now)s::timestamptz END
      FROM fresh
     ORDER BY account_id, session, instrument_id
        ON CONFLICT (account_id, session, instrument_id) DO UPDATE
       SET {", ".join(f"{name} = excluded.{name}" for name in STORED)},
           is_final = excluded.is_final, calculated_at = excluded.calculated_at,
           restated_at = coalesce(excluded.restated_at, p.restated_at)
     WHERE ({", ".join(f"p.{name}" for name in STORED)})
           IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in STORED)})
"""
    for acted, or_acted in ((False, ""), (True, " OR c.action_pnl IS DISTINCT FROM 0"))
)


@dataclass(frozen=True, slots=True)
class Span:
    """Sessions of one key, both ends inclusive."""

    account: int
    instrument: int
    first: date
    last: date


def daily_write(
    cursor: CursorWrapper,
    *,
    spans: Iterable[Span],
    days: Sequence[date],
    now: datetime,
    known: Sessions,
) -> int:
    """Calculate these keys' begun sessions among `days` from the present closes and write what
    differs; the number of rows written. The caller holds Lock.DAILY_PNL_WRITE, taken in a
    statement of its own before: this one must see what the writer before has committed, and two
    writers could write an older state over a newer one."""
    wanted = list(spans)
    if not wanted or not days:
        return 0
    acting = acting_at(days, known=known, now=now)
    cursor.execute(
        _WRITE if acting is None else _WRITE_ACTED,
        {
            **computed_params(
                known,
                days,
                {span.account for span in wanted},
                {span.instrument for span in wanted},
                acting,
            ),
            "key_accounts": [span.account for span in wanted],
            "key_instruments": [span.instrument for span in wanted],
            "key_firsts": [span.first for span in wanted],
            "key_lasts": [span.last for span in wanted],
            "now": now,
        },
    )
    return int(cursor.rowcount)
