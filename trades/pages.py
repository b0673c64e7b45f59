"""One page of trades, newest booking first, at the same cost however many there are.

A filter names accounts, and perhaps statuses, instruments or days. Each combination of them is one
stretch of an index that is sorted by id: a key. A page is the newest of all keys together. A plain
`account IN (…) ORDER BY id DESC LIMIT 100` lets PostgreSQL walk all trades by id until it has met
enough that fit, which for two quiet accounts is nearly all of them; here each key is asked by
itself, in two steps: its newest trade alone, and then, of the keys whose newest trade could be on
the page at all, as many as a page takes. So at most a page's number of keys is read twice, and a
key without trades costs one look into an index.

Which index serves a key: trade_by_status (account, status), trade_by_ticker (account, instrument,
status; a range of days is checked in the index itself), trade_by_user (account, user, status; days
likewise), trade_by_day (account, day, status), trade_in_group (request group).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from trades.models import Status, Trade
from trades.selectors import TradeRow, trade_rows_read, trades_with_names

# About 0.1 s of looking. Beyond, a range of days is checked trade by trade instead.
MAX_KEYS = 20_000


@dataclass(frozen=True)
class TradeFilter:
    """A filter of trades. `accounts` and `instruments` are ids; None means any, an empty set means
    none. `first` and `last` are trade dates, inclusive."""

    accounts: Sequence[int]
    instruments: Sequence[int] | None = None
    statuses: Sequence[str] | None = None
    first: date | None = None
    last: date | None = None
    request_group: UUID | None = None
    booked_by: int | None = None
    strategies: Sequence[int] | None = None
    counterparties: Sequence[int] | None = None
    tags: Sequence[str] | None = None


def trade_page(
    wanted: TradeFilter, *, limit: int, after: UUID | None = None, before: UUID | None = None
) -> QuerySet[Trade]:
    """At most `limit` trades, newest first: the newest, or those next after (older than) `after`,
    or those next before (newer than) `before`. The page is one statement, so that a trade which
    moves meanwhile does not end a list early; a range of days needs another one first."""
    if wanted.first and wanted.last and wanted.first > wanted.last:
        return Trade.objects.none()
    ids, values = _ids(wanted, limit=limit, after=after, before=before)
    # In the order in which they stand in the text: Django passes no names on.
    named = re.compile(r"%\((\w+)\)s")
    in_order = [values[name] for name in named.findall(ids)]
    found = RawSQL(named.sub("%s", ids), in_order)  # noqa: S611 - every value is a parameter
    return trades_with_names().filter(pk__in=found)


def trade_page_rows(
    wanted: TradeFilter, *, limit: int, after: UUID | None = None, before: UUID | None = None
) -> list[TradeRow]:
    """The rows of `trade_page`, without a model between."""
    if wanted.first and wanted.last and wanted.first > wanted.last:
        return []
    ids, values = _ids(wanted, limit=limit, after=after, before=before)
    # Planned each time: an account that trades little wants another plan than a busy one.
    return trade_rows_read(f"IN ({ids})", values, is_planned=True)


def _ids(
    wanted: TradeFilter, *, limit: int, after: UUID | None, before: UUID | None
) -> tuple[str, dict[str, Any]]:
    """The statement that finds the ids of the page, and its values by name."""
    statuses = list(Status.values) if wanted.statuses is None else sorted(set(wanted.statuses))
    values = {
        "accounts": list(wanted.accounts),
        "statuses": statuses,
        "instruments": None if wanted.instruments is None else list(wanted.instruments),
        "first": wanted.first,
        "last": wanted.last,
        "group": wanted.request_group,
        "user": wanted.booked_by,
        "strategies": wanted.strategies,
        "counterparties": wanted.counterparties,
        "tags": None if wanted.tags is None else list(wanted.tags),
        "bound": before or after,
        "limit": limit,
    }
    order, beyond = ("ASC", ">") if before is not None else ("DESC", "<")
    within = [] if values["bound"] is None else [f"t.id {beyond} %(bound)s"]
    if wanted.first is not None:
        within.append("t.trade_date >= %(first)s")
    if wanted.last is not None:
        within.append("t.trade_date <= %(last)s")
    if wanted.booked_by is not None:
        within.append("t.booked_by_id = %(user)s")

    if wanted.strategies is not None:
        within.append("t.strategy_id = ANY(%(strategies)s::bigint[])")
    if wanted.counterparties is not None:
        within.append("t.counterparty_id = ANY(%(counterparties)s::bigint[])")

    few = _few(wanted)
    if few is not None:
        within += ["t.account_id = ANY(%(accounts)s)", "t.status = ANY(%(statuses)s)"]
        if wanted.instruments is not None:
            within.append("t.instrument_id = ANY(%(instruments)s)")
        # By itself, so that no other index seems as good.
        query = (
            f"WITH t AS MATERIALIZED (SELECT * FROM trades_trade WHERE {few})"
            f" SELECT t.id FROM t WHERE {' AND '.join(within)}"
            f" ORDER BY t.id {order} LIMIT %(limit)s"
        )
    else:
        keys = [
            "unnest(%(accounts)s::bigint[]) AS a (account)",
            "unnest(%(statuses)s::text[]) AS s (status)",
        ]
        within += ["t.account_id = ANY (ARRAY[k.account])", "t.status = k.status"]
        if wanted.instruments is not None:
            keys.append("unnest(%(instruments)s::bigint[]) AS i (instrument)")
            within.append("t.instrument_id = k.instrument")
        elif wanted.booked_by is None and (days := _days(wanted, len(statuses))) is not None:
            values["days"] = days
            keys.append("unnest(%(days)s::date[]) AS d (day)")
            within.append("t.trade_date = k.day")
        query = _newest_of_keys(keys, " AND ".join(within), order)
    return query, values


# The trades of which the last that was said of a tag is that they have it.
_TAGGED = """
    id IN (SELECT trade_id FROM (
            SELECT DISTINCT ON (tag, trade_id) trade_id, is_added FROM trades_tradetag
             WHERE tag = ANY(%(tags)s::text[]) ORDER BY tag, trade_id, id DESC) g
           WHERE is_added)
"""


def _few(wanted: TradeFilter) -> str | None:
    """A condition that few trades meet, however many there are: those of a request group (at most
    10,000) or of tags. None where nothing is asked that few meet."""
    if wanted.request_group is not None:
        group = "request_group_id = %(group)s"
        return group if wanted.tags is None else f"{group} AND {_TAGGED}"
    return None if wanted.tags is None else _TAGGED


def _newest_of_keys(keys: list[str], within: str, order: str) -> str:
    """The two steps. A key whose newest trade is older than that of a page's number of other keys
    has nothing on the page, so the second step reads no more keys than the page has rows.

    A key has one account, so ordering by it as well changes no answer. It rules the primary key
    out: for an account that traded little, long ago, the planner would walk it from the newest
    trade on, as it takes each account for one of average size. For the same end the account is one
    of a list of one: known to be constant, it would drop out of the order again.
    """
    by = f"t.account_id {'ASC' if order == 'DESC' else 'DESC'}, t.id {order}"
    newest = f"SELECT t.id FROM trades_trade t WHERE {within} ORDER BY {by}"
    return f"""
        WITH k AS MATERIALIZED (
            SELECT k.*
              FROM (SELECT * FROM {" CROSS JOIN ".join(keys)}) k
             CROSS JOIN LATERAL ({newest} LIMIT 1) n
             ORDER BY n.id {order} LIMIT %(limit)s
        )
        SELECT p.id
          FROM k CROSS JOIN LATERAL ({newest} LIMIT %(limit)s) p
         ORDER BY p.id {order} LIMIT %(limit)s
    """


def _days(wanted: TradeFilter, statuses: int) -> list[date] | None:
    """The days that a range covers and that can have trades; None when there is no range, or when
    its days would be too many keys: then it is checked trade by trade."""
    first, last = wanted.first, wanted.last
    if first is None and last is None:
        return None
    if first != last:
        known = _days_with_trades(wanted.accounts)
        if known is None:
            return []
        first = max(first or known[0], known[0])
        last = min(last or known[1], known[1])
    if first is None or last is None:
        return None
    count = (last - first).days + 1
    if count * len(wanted.accounts) * statuses > MAX_KEYS:
        return None
    return [first + timedelta(days=n) for n in range(count)]


def _days_with_trades(accounts: Iterable[int]) -> tuple[date, date] | None:
    """The first and the last trade date in the accounts: two looks into an index for each."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT min(first), max(last)
              FROM unnest(%s::bigint[]) AS a (account)
             CROSS JOIN LATERAL (
                SELECT min(trade_date) AS first, max(trade_date) AS last
                  FROM trades_trade WHERE account_id = a.account) r
            """,
            [list(accounts)],
        )
        first, last = cursor.fetchone()
    return None if first is None else (first, last)
