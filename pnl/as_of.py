"""Positions and P&L of a session as of then: two filters on one sum of the ledger.

`as_of` takes entries by trade date, `known_at` by when they were recorded (inclusive; it never
filters prices). What the ledger index holds (quantity, trade date, time of recording) answers the
sum without touching the table; only the session's own entries are fetched for their sums. Cost is
folded anew in the same statement: as known now from the trades that stand, which one snapshot
sees to be the same as the entries, as known then from the entries.
"""

from collections.abc import Iterable
from datetime import date, datetime

from django.db import connection

from pnl.acted_cost import with_actions
from pnl.acting import acting_at, legs_until
from pnl.cost.fills import fills_of, folded
from pnl.figures import (
    ACTED_LEDGER_FIGURES,
    LEDGER_FIGURES,
    SELECT_KEYS,
    KeyPnl,
    key_rows_of,
    keyed_columns,
)
from prices.marks import MARKS, mark_params, marks_sql
from prices.references import with_references
from prices.session_marks import SESSION_MARKS, session_mark_params
from prices.sessions import sessions
from trades.ledger.legs import GIVEN_LEGS, ledger_legs, leg_params
from trades.ledger.sql import STANDING_TRADES, effective_entries, sums_of

_WANTED = """
    {0}account_id = ANY(%(accounts)s)
    AND (%(instruments)s::bigint[] IS NULL OR {0}instrument_id = ANY(%(instruments)s::bigint[]))
"""

_SUMS = f"""
    SELECT account_id, instrument_id, sum(quantity) AS quantity, max(recorded_at) AS updated_at
      FROM ({{entries}}) e
     WHERE {_WANTED.format("")}
     GROUP BY account_id, instrument_id
"""

_TRADED = f"""
    SELECT account_id, instrument_id, {sums_of("e")}
      FROM ({{entries}}) e
     WHERE {_WANTED.format("")} AND trade_date = %(session)s
     GROUP BY account_id, instrument_id
"""

_COLUMNS = keyed_columns(
    key="s", traded="t", position="s.quantity", held="s.quantity", updated_at="s.updated_at"
)
_KEYED = f"""
    SELECT {_COLUMNS}
      FROM ({_SUMS}) s
      LEFT JOIN ({_TRADED}) t USING (account_id, instrument_id)
     WHERE %(include_flat)s OR s.quantity <> 0 OR coalesce(t.trades, 0) > 0
"""
# With the legs of corporate actions: they may be all that there is of a key.
_ACTED_COLUMNS = keyed_columns(
    key="s", traded="t", position="s.quantity", held="s.quantity", updated_at="s.updated_at",
    legs="l",
)  # fmt: skip
_ACTED_KEYED = f"""
    SELECT {_ACTED_COLUMNS}
      FROM (
        SELECT account_id, instrument_id, sum(quantity) AS quantity, max(updated_at) AS updated_at
          FROM ({_SUMS} UNION ALL
                SELECT account_id, instrument_id, quantity, NULL FROM legs
                 WHERE {_WANTED.format("")}) b
         GROUP BY account_id, instrument_id
      ) s
      LEFT JOIN ({_TRADED}) t USING (account_id, instrument_id)
      LEFT JOIN legs l USING (account_id, instrument_id)
     WHERE %(include_flat)s OR s.quantity <> 0 OR coalesce(t.trades, 0) > 0
        OR coalesce(l.acts, 0) > 0
"""
_LEGS = f"legs AS MATERIALIZED ({legs_until(GIVEN_LEGS)}), "

_EFFECTIVE_NOW = effective_entries("%(session)s")
_EFFECTIVE_THEN = effective_entries("%(session)s", "%(known_at)s::timestamptz")
# As known now the trades themselves say it, without their versions.
_FILLS_NOW = folded(f"{STANDING_TRADES} AND trade_date <= %(session)s AND {_WANTED.format('')}")
_FILLS_THEN = fills_of(_WANTED.format("e."), entries=f"({_EFFECTIVE_THEN}) e", few=True)
# A key whose trades are all cancelled has cost 0, not null.
_COSTS = """
    SELECT account_id, instrument_id, 0 AS quantity, 0 AS cost, 0 AS realized_pnl,
           f.fills, coalesce(f.fill_count, 0) AS fill_count
      FROM keyed LEFT JOIN ({fills}) f USING (account_id, instrument_id)
"""

_SESSION_MARKS = f"""
    priced AS MATERIALIZED (SELECT DISTINCT instrument_id FROM keyed), {SESSION_MARKS}
"""
_REFERRED = f"referred AS MATERIALIZED ({with_references('SELECT * FROM marks')})"

_ACTED_FIGURES = ACTED_LEDGER_FIGURES.replace("LEFT JOIN marks m", "LEFT JOIN referred m")
_NOTHING_SETTLING = "SELECT 0::bigint AS account_id, 0::bigint AS instrument_id WHERE false"


def rows_as_of(
    *,
    accounts: Iterable[int],
    session: date,
    now: datetime,
    known_at: datetime | None = None,
    instruments: Iterable[int] | None = None,
    include_flat: bool = False,
) -> list[KeyPnl]:
    """Rows of a session: quantities from the ledger, marks of that session (its closes; for the
    business date the live marks). Straight from the ledger, so never behind a reader."""
    wanted = None if instruments is None else list(instruments)
    known = sessions()
    of = list(accounts)
    acting = acting_at([session], known=known, now=now, known_at=known_at, instruments=wanted)
    if session == known.business_date(now):
        body = MARKS if acting is None else marks_sql(acted=True)
        marks, params = f"marks AS MATERIALIZED ({body})", mark_params(now, wanted)
    else:
        marks, params = _SESSION_MARKS, session_mark_params(known, [session], wanted)
    entries = _EFFECTIVE_NOW if known_at is None else _EFFECTIVE_THEN
    keyed, legs, figures = _KEYED.format(entries=entries), "", LEDGER_FIGURES
    if acting is not None:
        keyed, legs = _ACTED_KEYED.format(entries=entries), _LEGS
        marks, figures = f"{marks}, {_REFERRED}", _ACTED_FIGURES
        found = ledger_legs(acting.actions, accounts=of, known_at=known_at)
        params |= {
            **acting.params, **leg_params(found),
            "business_date": session, "previous_session": known.previous_session(session),
        }  # fmt: skip
    costs = _COSTS.format(fills=_FILLS_NOW if known_at is None else _FILLS_THEN)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH {legs}keyed AS MATERIALIZED ({keyed}), {marks},"
            f" settling AS ({_NOTHING_SETTLING}), rows AS ({figures}), costs AS ({costs})"
            + SELECT_KEYS,
            {
                **params,
                "accounts": of,
                "instruments": wanted,
                "session": session,
                "known_at": known_at,
                "include_flat": include_flat,
            },
        )
        rows = key_rows_of(cursor.fetchall())
    if acting is None:
        return rows
    return with_actions(rows, acting, session=session, now=now, known_at=known_at, legs=found)
