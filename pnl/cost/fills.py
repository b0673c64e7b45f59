"""Fills: the net of each trade per key, straight from the ledger. Average cost is folded from them.

Entries of one trade on one key, date, time of execution and price are summed, and what comes to
zero, in quantity and fees, is no fill. When a set of entries holds all of a trade's versions up to
some one, what remains is one fill with the terms of that version, or none after its cancellation.
The ledger's order is not the order of versions, so a set that a bound cuts off may lack one in the
middle; then the reversal of terms that are not there yet remains as a fill of its own. It is odd
and exact: quantity, net paid and fees are those of the entries, as in every other projection, and
it goes with the next batch.

`fills` is a key's fills in the order (trade date, time of execution, trade id), three whole numbers
each (quantity, price, fee), as `pnl.cost.average_cost.fold` takes them: a string a key is read ten
times as fast as a row a trade. A number takes 8 bytes; one too far from zero for that takes 24:
`_FAR`, which no other number is, what stands before the point, and what stands behind it. The time
of execution stands in the version whose terms an entry adds or takes back, which is committed
before or with the entry and never changes.
"""

import sys
from array import array
from collections.abc import Iterable, Sequence

from pnl.cost.average_cost import ONE
from trades.ledger.sql import PLACE_NUMBERS

_NEAR = 900_000_000
"""Quantities and prices up to here fit into 8 bytes: × `ONE` they are less than 2^63."""
_FAR = -(2**63)
_FAR_BYTES = _FAR.to_bytes(8, signed=True)


def moment_number(moment: str) -> str:
    """SQL for a timestamptz as whole microseconds since 2000, as PostgreSQL itself counts."""
    return f"(extract(epoch FROM {moment} - timestamptz '2000-01-01 00:00Z') * 1000000)::bigint"


# An entry takes back the terms of the version before its own.
_OF_ENTRY = "v.trade_id = e.trade_id AND v.version = e.version - (e.trades < 0)::int"
_JOINED = f"trades_tradeversion v ON {_OF_ENTRY}"
# OFFSET keeps the planner from reading all the versions there are for those of one account.
_LOOKED_UP = f"LATERAL (SELECT * FROM trades_tradeversion v WHERE {_OF_ENTRY} OFFSET 0) v ON true"
# A fee may change by itself.
_IS_FILL = "(quantity <> 0 OR fees <> 0)"
_PLACE = f", {PLACE_NUMBERS} AS place"
_PLACES_INSIDE = ", count(*) AS entries, max(place) AS place"
_PLACES = f""",
           sum(entries)::bigint AS entries, (max(place))[3] AS last_entry,
           min(trade_date) FILTER (WHERE {_IS_FILL}) - date '2000-01-01' AS first_day,
           {moment_number(f"min(executed_at) FILTER (WHERE {_IS_FILL})")} AS first_moment,
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
    sign: str = "",
    places: bool = False,
    few: bool = False,
) -> str:
    """A query of entries `e`, each with the time of execution and the price of its version. With
    the `sign` "-" they are taken back."""
    return f"""
    SELECT e.account_id, e.instrument_id, e.trade_date, v.executed_at, e.trade_id, v.price,
           {sign}e.quantity AS quantity, {sign}e.fees AS fees{_PLACE if places else ""}
      FROM {entries}
      LEFT JOIN {_LOOKED_UP if few else _JOINED}
     WHERE {where}
    """


def _whole_number(amount: str) -> str:
    """SQL for a quantity or price as bytes; null for null."""
    behind = f"({amount} - trunc({amount})) * {ONE}"
    return (
        f"CASE WHEN {amount} BETWEEN -{_NEAR} AND {_NEAR}"
        f" THEN int8send(({amount} * {ONE})::bigint)"
        f" ELSE '\\x{_FAR_BYTES.hex()}'::bytea || int8send(trunc({amount})::bigint)"
        f" || int8send(({behind})::bigint) END"
    )


def folded(with_terms: str, *, places: bool = False) -> str:
    """The fills of any query of account_id, instrument_id, trade_date, executed_at, trade_id,
    price, signed quantity and fees."""
    fill = " || ".join(f"({_whole_number(name)})" for name in ("quantity", "price", "fees"))
    return f"""
    SELECT account_id, instrument_id, count(*) FILTER (WHERE {_IS_FILL}) AS fill_count,
           string_agg({fill}, ''::bytea ORDER BY trade_date, executed_at, trade_id, price)
               FILTER (WHERE {_IS_FILL}) AS fills{_PLACES if places else ""}
      FROM (
        SELECT account_id, instrument_id, trade_date, executed_at, trade_id, price,
               sum(quantity) AS quantity, sum(fees) AS fees{_PLACES_INSIDE if places else ""}
          FROM ({with_terms}) e
         GROUP BY account_id, instrument_id, trade_date, executed_at, trade_id, price
      ) f
     GROUP BY account_id, instrument_id
    """


def numbers(fills: bytes | memoryview | None, count: int) -> Sequence[int]:
    """Quantities, prices and fees in turn, whole numbers. Raises MissingVersion when one lacks."""
    raw = bytes(fills or b"")
    words = array("q", raw)
    if sys.byteorder == "little":
        words.byteswap()
    found: Sequence[int] = _put_together(words) if _FAR_BYTES in raw else words
    if len(found) != 3 * count:
        raise MissingVersion(f"{count} fills, {len(found) // 3} of them with a version")
    return found


def _put_together(words: Iterable[int]) -> list[int]:
    """The same numbers, each that is far from zero in one."""
    each = iter(words)
    return [next(each) * ONE + next(each) if word == _FAR else word for word in each]
