"""Trades of others: versions that somebody else made in an account, each told once.

Versions are read by the moment that the database recorded them, up to the beginning of the oldest
transaction that still writes: whatever commits later was recorded later. So none is passed over,
and none is read twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from blotter.models import Alert
from kernel.money import normalized

# Who writes a version has an id before it looks at the clock, so who has none yet records later
# than this statement began.
_UPTO = """
    SELECT least(statement_timestamp(), min(xact_start) FILTER (WHERE pid <> pg_backend_pid()))
      FROM pg_stat_activity
     WHERE datname = current_database() AND backend_xid IS NOT NULL
"""

# One that has left the account is told in the terms that it had there.
_FOUND = """
    WITH alerts AS (
        SELECT * FROM unnest(%(ids)s::uuid[], %(accounts)s::bigint[], %(users)s::bigint[],
                             %(since)s::timestamptz[]) a (id, account, owner, since)
    ), late AS MATERIALIZED (
        SELECT v.id, v.trade_id, v.version, v.account_id, v.actor_id, v.recorded_at,
               p.id AS before_id, p.account_id AS before_account
          FROM trades_tradeversion v
          LEFT JOIN trades_tradeversion p ON p.trade_id = v.trade_id AND p.version = v.version - 1
         WHERE v.recorded_at >= %(from)s AND v.recorded_at < %(upto)s
    ), found AS (
        SELECT a.id AS alert, a.account, count(*) AS versions, max(l.id) AS last
          FROM alerts a
          JOIN late l ON l.recorded_at >= a.since AND l.actor_id <> a.owner
           AND a.account IN (l.account_id, l.before_account)
         GROUP BY a.id, a.account
    )
    SELECT f.alert, f.versions, l.trade_id, l.version, u.username,
           CASE WHEN l.account_id <> f.account THEN 'moved away' ELSE v.status END,
           t.side, t.quantity, t.price, i.ticker
      FROM found f
      JOIN late l ON l.id = f.last
      JOIN auth_user u ON u.id = l.actor_id
      JOIN trades_tradeversion v ON v.id = l.id
      JOIN trades_tradeversion t
        ON t.id = CASE WHEN l.account_id <> f.account THEN l.before_id ELSE l.id END
      JOIN prices_instrument i ON i.id = t.instrument_id
"""


@dataclass(frozen=True)
class Others:
    """What somebody else did in the accounts of alerts, by alert, and up to when that is known."""

    facts: dict[UUID, dict[str, Any]]
    upto: datetime


def others_trades(alerts: Sequence[Alert]) -> Others:
    """Of each alert, the versions since its `trades_to`: how many, and the last."""
    with connection.cursor() as cursor:
        cursor.execute(_UPTO)
        (upto,) = cursor.fetchone()
        # A later statement: it sees all that was committed before that moment was taken.
        cursor.execute(
            _FOUND,
            {
                "ids": [alert.pk for alert in alerts],
                "accounts": [alert.account_id for alert in alerts],
                "users": [alert.user_id for alert in alerts],
                "since": [alert.trades_to for alert in alerts],
                "from": min(alert.trades_to for alert in alerts),
                "upto": upto,
            },
        )
        found = cursor.fetchall()
    return Others(
        {
            alert: {
                "versions": versions,
                "trade": str(trade),
                "version": version,
                "by": by,
                "what": what,
                "side": side,
                "quantity": normalized(quantity),
                "price": normalized(price),
                "ticker": ticker,
            }
            for alert, versions, trade, version, by, what, side, quantity, price, ticker in found
        },
        upto,
    )
