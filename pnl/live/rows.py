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
from pnl.figures import FIGURES, SELECT_KEYS, KeyPnl, key_rows_of, keyed_columns
from prices.marks import mark_params, marks_sql
from trades.ledger.sql import keys_read_by_one
from trades.models import LEDGER_SHARDS


# Account ids in %(accounts)s; keys (account, instrument) in two arrays, or null for all.
def keyed_of(which: str = "") -> str:
    """The CTE `keyed`, narrowed by a further condition on account_id and instrument_id."""
    return _KEYED.replace("/* which */", which)


_COLUMNS = keyed_columns(
    key="k",
    traded="a",
    position="coalesce(k.position, 0)",
    held="coalesce(k.held, 0)",
    updated_at="k.updated_at",
    apart="k.position_entry IS DISTINCT FROM k.held_entry",
)
_KEYED = f"""
    SELECT {_COLUMNS}
      FROM (
        SELECT account_id, instrument_id, p.quantity AS position, p.last_entry AS position_entry,
               p.updated_at, h.quantity AS held, h.last_entry AS held_entry
          FROM (SELECT * FROM positions_position
                 WHERE account_id = ANY(%(accounts)s) /* which */) p
          FULL JOIN (SELECT * FROM pnl_holding
                      WHERE account_id = ANY(%(accounts)s) /* which */) h
               USING (account_id, instrument_id)
      ) k
      LEFT JOIN pnl_dailyactivity a
        ON a.account_id = k.account_id AND a.instrument_id = k.instrument_id
       AND a.trade_date = %(business_date)s
     WHERE (%(key_accounts)s::bigint[] IS NULL
            OR (k.account_id, k.instrument_id) IN (
                SELECT * FROM unnest(%(key_accounts)s::bigint[], %(key_instruments)s::bigint[])))
       AND (%(instruments)s::bigint[] IS NULL OR k.instrument_id = ANY(%(instruments)s::bigint[]))
       AND (%(include_flat)s OR coalesce(k.position, 0) <> 0 OR coalesce(k.held, 0) <> 0
            OR coalesce(a.trades, 0) > 0)
"""

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


def _rows_with(marks: str) -> str:
    """The statement of `live_rows` with this CTE of marks."""
    return (
        f"WITH keyed AS MATERIALIZED ({keyed_of()}), marks AS MATERIALIZED ({marks}),"
        f" settling AS MATERIALIZED ({SETTLING}), rows AS ({FIGURES}), costs AS ({_COSTS})"
        f" {SELECT_KEYS}"
    )


# Up to so many keys, their marks are looked up one by one; beyond, those of all names at once.
FEW_KEYS = 100
_FEW = _rows_with(marks_sql("SELECT DISTINCT instrument_id FROM keyed"))
_MANY = _rows_with(marks_sql())
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
    if len(params["accounts"]) > prepared.FEW_ACCOUNTS:
        return key_rows_of(prepared.rows_planned(_MANY, params))
    counted = {"accounts": params["accounts"], "most": FEW_KEYS + 1}
    ((count,),) = prepared.rows(_COUNT, counted)
    return key_rows_of(prepared.rows(_FEW if count <= FEW_KEYS else _MANY, params))
