"""Today's P&L by query: arithmetic over holdings, daily activity and marks, never stored.

The arithmetic is that of kernel.pnl, in SQL, so that a whole book costs one statement; a property
test holds the two together. Positions' quantities stand beside the holdings that the P&L is
computed from; when the two projections have parted for longer than a moment the row says so
(`settling`).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from kernel import prepared
from pnl.acted_cost import with_actions
from pnl.acting import KEPT_LEGS, Acting, acting_at, legs_until
from pnl.figures import (
    ACTED_FIGURES,
    FIGURES,
    SELECT_KEYS,
    KeyPnl,
    key_rows_of,
    keyed_columns,
)
from prices.marks import mark_params, marks_sql
from prices.references import with_references
from prices.sessions import sessions
from trades.ledger.sql import keys_read_by_one
from trades.models import LEDGER_SHARDS


# Account ids in %(accounts)s; keys (account, instrument) in two arrays, or null for all.
def keyed_of(which: str = "", *, acted: bool = False) -> str:
    """The CTE `keyed`, narrowed by a further condition on account_id and instrument_id. `acted`:
    with legs, of the CTE `legs` (pnl.acting.legs_until)."""
    return (_ACTED_KEYED if acted else _KEYED).replace("/* which */", which)


def _keyed(*, leg: str = "", legs: str = "", or_acts: str = "") -> str:
    """`leg` is added to what is kept; `legs` joins what it stands in, and may bring further keys:
    nobody need ever have traded what came by an action."""
    position, held = f"coalesce(k.position, 0){leg}", f"coalesce(k.held, 0){leg}"
    columns = keyed_columns(
        key="k",
        traded="a",
        position=position,
        held=held,
        updated_at="k.updated_at",
        apart="k.position_entry IS DISTINCT FROM k.held_entry",
        legs="k" if legs else None,
    )
    columns_of_legs = ", l.quantity AS leg, l.moved, l.cash, l.unpaid, l.acts" if legs else ""
    return f"""
    SELECT {columns}
      FROM (
        SELECT account_id, instrument_id, p.quantity AS position, p.last_entry AS position_entry,
               p.updated_at, h.quantity AS held, h.last_entry AS held_entry{columns_of_legs}
          FROM (SELECT * FROM positions_position
                 WHERE account_id = ANY(%(accounts)s) /* which */) p
          FULL JOIN (SELECT * FROM pnl_holding
                      WHERE account_id = ANY(%(accounts)s) /* which */) h
               USING (account_id, instrument_id){legs}
      ) k
      LEFT JOIN pnl_dailyactivity a
        ON a.account_id = k.account_id AND a.instrument_id = k.instrument_id
       AND a.trade_date = %(business_date)s
     WHERE (%(key_accounts)s::bigint[] IS NULL
            OR (k.account_id, k.instrument_id) IN (
                SELECT * FROM unnest(%(key_accounts)s::bigint[], %(key_instruments)s::bigint[])))
       AND (%(instruments)s::bigint[] IS NULL OR k.instrument_id = ANY(%(instruments)s::bigint[]))
       AND (%(include_flat)s OR {position} <> 0 OR {held} <> 0
            OR coalesce(a.trades, 0) > 0{or_acts})
"""


_KEYED = _keyed()
_ACTED_KEYED = _keyed(
    leg=" + coalesce(k.leg, 0)",
    legs="""
          FULL JOIN (SELECT * FROM legs WHERE true /* which */) l
               USING (account_id, instrument_id)""",
    or_acts=" OR coalesce(k.acts, 0) > 0",
)

# Keys of which positions and the other projection hold different entries since long ago.
SETTLING = keys_read_by_one("positions", "pnl")

# The cost of a key is not shown while its reader is behind.
_COSTS = f"""
    SELECT c.account_id, c.instrument_id, c.quantity, c.cost, c.realized_pnl,
           NULL::bytea AS fills, NULL::bigint AS fill_count
      FROM pnl_cost c
     WHERE c.account_id = ANY(%(accounts)s)
       AND (c.account_id, c.instrument_id) NOT IN ({keys_read_by_one("positions", "cost")})
       AND c.account_id NOT IN (SELECT account_id FROM trades_quarantine WHERE consumer = 'cost')
"""


ACTED_LEGS = f"legs AS MATERIALIZED ({legs_until(KEPT_LEGS)}), "


def _rows_with(of: str = "", *, acted: bool = False) -> str:
    """The statement of `live_rows`, with marks of all or of the instruments `of` a query. `acted`:
    where corporate actions act."""
    marks = with_references(marks_sql(of, acted=True)) if acted else marks_sql(of)
    figures = ACTED_FIGURES if acted else FIGURES
    return (
        f"WITH {ACTED_LEGS if acted else ''}keyed AS MATERIALIZED ({keyed_of(acted=acted)}),"
        f" marks AS MATERIALIZED ({marks}),"
        f" settling AS MATERIALIZED ({SETTLING}), rows AS ({figures}), costs AS ({_COSTS})"
        f" {SELECT_KEYS}"
    )


# Up to so many keys, their marks are looked up one by one; beyond, those of all names at once.
FEW_KEYS = 100
_FEW, _ACTED_FEW = (
    _rows_with("SELECT DISTINCT instrument_id FROM keyed", acted=acted) for acted in (False, True)
)
_MANY, _ACTED_MANY = (_rows_with(acted=acted) for acted in (False, True))
_COUNT = """
    SELECT count(*) FROM (SELECT FROM positions_position
                           WHERE account_id = ANY(%(accounts)s::bigint[]) LIMIT %(most)s) k
"""


def live_params(
    now: datetime,
    accounts: Iterable[int],
    *,
    keys: Iterable[tuple[int, int]] | None = None,
    instruments: Iterable[int] | None = None,
    include_flat: bool = False,
) -> dict[str, Any]:
    """The parameters of `keyed_of`, `SETTLING` and prices.marks."""
    pairs = None if keys is None else list(keys)
    if pairs is not None and instruments is None:
        instruments = {i for _, i in pairs}
    return {
        **mark_params(now, instruments),
        "accounts": list(accounts),
        "key_accounts": None if pairs is None else [a for a, _ in pairs],
        "key_instruments": None if pairs is None else [i for _, i in pairs],
        "include_flat": include_flat,
        "shards": LEDGER_SHARDS,
        "settled_by": now - timedelta(seconds=settings.SETTLING_AFTER_SECONDS),
    }


def acting_now(now: datetime) -> Acting | None:
    """The corporate actions that act on the business date, or did before."""
    known = sessions()
    return acting_at([known.business_date(now)], known=known, now=now)


def live_rows(
    *,
    accounts: Iterable[int],
    now: datetime,
    keys: Iterable[tuple[int, int]] | None = None,
    instruments: Iterable[int] | None = None,
    include_flat: bool = False,
) -> list[KeyPnl]:
    """P&L of the business date per key, by account and ticker. One statement, one snapshot.

    `keys` narrows to (account id, instrument id) pairs, `instruments` to instrument ids. A key is
    there while its quantity is not zero or a trade of the business date stands, or always with
    `include_flat`.
    """
    params = live_params(
        now, accounts, keys=keys, instruments=instruments, include_flat=include_flat
    )
    acting = acting_now(now)
    few, many = _FEW, _MANY
    if acting is not None and acting.instruments:
        few, many = _ACTED_FEW, _ACTED_MANY
        params |= acting.params
    if len(params["accounts"]) > prepared.FEW_ACCOUNTS:
        rows = key_rows_of(prepared.rows_planned(many, params))
    else:
        counted = {"accounts": params["accounts"], "most": FEW_KEYS + 1}
        ((count,),) = prepared.rows(_COUNT, counted)
        rows = key_rows_of(prepared.rows(few if count <= FEW_KEYS else many, params))
    if acting is None:
        return rows
    return with_actions(rows, acting, session=params["business_date"], now=now)
