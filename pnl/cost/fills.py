"""Fills: the net of each trade per key, straight from the ledger. Average cost is folded from them.

Entries of one trade on one key, date, time of execution and price are summed, and what comes to
zero is no fill. When a set of entries holds all of a trade's versions up to some one, what remains
is one fill with the terms of that version, or none after its cancellation. The ledger's order is
not the order of versions, so a set that a bound cuts off may lack one in the middle; then the
reversal of terms that are not there yet remains as a fill of its own. It is odd and exact:
quantity and net paid are those of the entries, as in every other projection, and it goes with the
next batch.

`fills` is a key's fills in the order (trade date, time of execution, trade id), two 8-byte whole
numbers each, as `pnl.cost.average_cost.fold` takes them: a string a key is read ten times as fast
as a row a trade. The time of execution stands in the version whose terms an entry adds or takes
back, which is committed before or with the entry and never changes.
"""

import sys
from array import array
from collections.abc import Sequence

from pnl.cost.average_cost import MILLION
from trades.ledger.sql import PLACE_NUMBERS

BYTES_PER_FILL = 16


def moment_number(moment: str) -> str:
    """SQL for a timestamptz as whole microseconds since 2000, as PostgreSQL itself counts."""
    return f"(extract(epoch FROM {moment} - timestamptz '2000-01-01 00:00Z') * {MILLION})::bigint"


# An entry takes back the terms of the version before its own.
_OF_ENTRY = "v.trade_id = e.trade_id AND v.version = e.version - (e.trades < 0)::int"
_JOINED = f"trades_tradeversion v ON {_OF_ENTRY}"
# OFFSET keeps the planner from reading all the versions there are for those of one account.
_LOOKED_UP = f"LATERAL (SELECT * FROM trades_tradeversion v WHERE {_OF_ENTRY} OFFSET 0) v ON true"
_PLACE = f", {PLACE_NUMBERS} AS place"
_PLACES_INSIDE = ", count(*) AS entries, max(place) AS place"
_PLACES = f""",
           sum(entries)::bigint AS entries, (max(place))[3] AS last_entry,
           min(trade_date) FILTER (WHERE quantity <> 0) - date '2000-01-01' AS first_day,
           {moment_number("min(executed_at) FILTER (WHERE quantity <> 0)")} AS first_moment,
           max(trade_date) - date '2000-01-01' AS last_day,
           {moment_number("max(executed_at)")} AS last_moment"""


class MissingVersion(Exception):
    """The ledger has an entry whose version does not exist: no order can be told."""


def fills_of(
    where: str, *, entries: str = "trades_ledgerentry e", places: bool = False, few: bool = False
) -> str:
    """A query of the fills of entries `e`: account_id, instrument_id, fill_count, fills (null where
    there are none). With `few` each entry looks up its version, whatever the planner thinks.

    With `places` also what a projection goes on from: entries (how many), last_entry, and in whole
    days and microseconds since 2000 first_day and first_moment (of execution) of the fills and
    last_day and last_moment of all the entries.
    """
    return folded(entries_with_terms(where, entries=entries, places=places, few=few), places=places)


def entries_with_terms(
    where: str,
    *,
    entries: str = "trades_ledgerentry e",
    quantity: str = "e.quantity",
    places: bool = False,
    few: bool = False,
) -> str:
    """A query of entries `e`, each with the time of execution and the price of its version."""
    return f"""
    SELECT e.account_id, e.instrument_id, e.trade_date, v.executed_at, e.trade_id, v.price,
           {quantity} AS quantity{_PLACE if places else ""}
      FROM {entries}
      LEFT JOIN {_LOOKED_UP if few else _JOINED}
     WHERE {where}
    """


def folded(with_terms: str, *, places: bool = False) -> str:
    """The fills of any query of account_id, instrument_id, trade_date, executed_at, trade_id, price
    and signed quantity."""
    return f"""
    SELECT account_id, instrument_id, count(*) FILTER (WHERE quantity <> 0) AS fill_count,
           string_agg(int8send((quantity * {MILLION})::bigint)
                      || int8send((price * {MILLION})::bigint), ''::bytea
                      ORDER BY trade_date, executed_at, trade_id, price)
               FILTER (WHERE quantity <> 0) AS fills{_PLACES if places else ""}
      FROM (
        SELECT account_id, instrument_id, trade_date, executed_at, trade_id, price,
               sum(quantity) AS quantity{_PLACES_INSIDE if places else ""}
          FROM ({with_terms}) e
         GROUP BY account_id, instrument_id, trade_date, executed_at, trade_id, price
      ) f
     GROUP BY account_id, instrument_id
    """


def numbers(fills: bytes | memoryview | None, count: int) -> Sequence[int]:
    """Quantities and prices in turn, in millionths. Raises MissingVersion when one is lacking."""
    found = array("q")
    found.frombytes(fills or b"")
    if len(found) * found.itemsize != count * BYTES_PER_FILL:
        raise MissingVersion(f"{count} fills, {len(found) // 2} of them with a version")
    if sys.byteorder == "little":
        found.byteswap()
    return found
