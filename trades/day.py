"""Trades of a business date: dated on it, or with a version recorded since 00:00 New York of it.

A trade's last version is its latest recorded one, so it is enough to look at that.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from kernel import prepared
from prices.sessions import day_start
from trades.selectors import TradeRow, trade_rows_read

_NEWEST = """
    WITH late AS MATERIALIZED (
        SELECT v.account_id, v.trade_id
          FROM trades_tradeversion v
          JOIN trades_trade t ON t.id = v.trade_id AND t.version = v.version
         WHERE v.recorded_at >= %(since)s AND v.trade_date <> %(day)s
           AND v.account_id = ANY(%(accounts)s)
    )
    SELECT a.account, n.id, n.total
      FROM unnest(%(accounts)s::bigint[]) AS a (account)
     CROSS JOIN LATERAL (
        SELECT d.id, count(*) OVER () AS total
          FROM (SELECT t.id FROM trades_trade t
                 WHERE t.account_id = a.account AND t.trade_date = %(day)s
                UNION ALL
                SELECT late.trade_id FROM late WHERE late.account_id = a.account) d
         ORDER BY d.id DESC LIMIT %(newest)s
     ) n
"""

_OF_THE_DAY = """
    = ANY(%(ids)s::uuid[]) AND t.account_id = ANY(%(accounts)s::bigint[])
    AND (t.trade_date = %(day)s OR EXISTS (
        SELECT FROM trades_tradeversion v
         WHERE v.trade_id = t.id AND v.version = t.version AND v.recorded_at >= %(since)s))
"""


@dataclass
class DayTrades:
    """The newest of an account's trades of the day, and how many there are in all."""

    rows: list[TradeRow] = field(default_factory=list)
    total: int = 0


def newest_of_the_day(
    accounts: Iterable[int], business_date: date, newest: int
) -> dict[int, DayTrades]:
    """For each account its newest so many, at least one. One statement finds and counts them, so
    that the number belongs to the rows."""
    found = {account: DayTrades() for account in accounts}
    ids: dict[UUID, int] = {}
    params = {
        "accounts": list(found),
        "day": business_date,
        "since": day_start(business_date),
        "newest": newest,
    }
    for account, trade, total in prepared.rows_planned(_NEWEST, params):
        ids[trade] = account
        found[account].total = total
    for row in trade_rows_read("= ANY(%(ids)s::uuid[])", {"ids": list(ids)}):
        if ids[row.id] == row.account_id:
            del ids[row.id]
            found[row.account_id].rows.append(row)
    for account in ids.values():
        # It has moved since the first statement: its new account tells of it.
        found[account].total -= 1
    return found


def of_the_day(
    accounts: Iterable[int], business_date: date, ids: Collection[str]
) -> list[TradeRow]:
    """Those of the ids that are trades of the day and now in these accounts."""
    if not ids:
        return []
    return trade_rows_read(
        _OF_THE_DAY,
        {
            "ids": list(ids),
            "accounts": list(accounts),
            "day": business_date,
            "since": day_start(business_date),
        },
    )
