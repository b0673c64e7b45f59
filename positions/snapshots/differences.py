"""The differences between a snapshot and its session's positions now: entries and closes recorded
since the session's end, and what corporate actions make of either.

quantity now  = snapshot + Σ signed quantity of the later entries dated up to the session
P&L effect    = (quantity now × close now) − (snapshot × its close) − Σ notional of those entries:
                what they change in the P&L of all sessions up to this one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from kernel.pnl import traded_pnl, value_sql
from positions.models import SnapshotRun
from prices.closes.effective_close import source_params
from trades.ledger.legs import late_legs
from trades.ledger.sql import late_entries

_LATE = f"""
    SELECT * FROM ({late_entries("%(session)s", "%(ends)s")}) e
     WHERE account_id = ANY(%(accounts)s)
"""

_DIFFERENCES = f"""
    WITH late AS MATERIALIZED (
        SELECT account_id, instrument_id, sum(quantity) AS quantity, sum(notional) AS notional
          FROM (SELECT account_id, instrument_id, quantity, notional FROM ({_LATE}) e
                 UNION ALL
                -- Cash is received: it is what a notional takes away.
                SELECT * FROM unnest(%(leg_accounts)s::bigint[], %(leg_instruments)s::bigint[],
                                     %(leg_quantities)s::numeric[], %(leg_notionals)s::numeric[])
               ) e GROUP BY account_id, instrument_id
    ), snapshot AS MATERIALIZED (
        SELECT account_id, instrument_id, quantity, close FROM positions_positionsnapshot
         WHERE session = %(session)s AND account_id = ANY(%(accounts)s)
    ), closes AS MATERIALIZED (
        SELECT instrument_id, close
          FROM eqtrade_effective_closes(ARRAY[%(session)s::date], %(source)s)
    ), both_of AS (
        SELECT account_id, instrument_id, coalesce(s.quantity, 0) AS then_held,
               coalesce(s.quantity, 0) + coalesce(l.quantity, 0) AS now_held,
               coalesce(l.notional, 0) AS notional, s.close AS then_close, c.close AS now_close
          FROM snapshot s
          FULL JOIN late l USING (account_id, instrument_id)
          LEFT JOIN closes c USING (instrument_id)
    )
    SELECT ac.code, i.ticker, b.account_id, b.instrument_id, b.then_held, b.now_held,
           b.then_close, b.now_close,
           {value_sql("b.now_held", "b.now_close")}
             - {value_sql("b.then_held", "b.then_close")} - b.notional
      FROM both_of b
      JOIN accounts_account ac ON ac.id = b.account_id
      JOIN prices_instrument i ON i.id = b.instrument_id
     WHERE b.now_held <> b.then_held OR b.notional <> 0
        OR (b.then_held <> 0 AND b.then_close IS DISTINCT FROM b.now_close)
     ORDER BY ac.code COLLATE "C", i.ticker COLLATE "C"
"""

_CHANGES = f"""
    SELECT e.account_id, e.instrument_id, e.trade_id, e.version, v.status, u.username, v.reason,
           max(e.recorded_at), v.trade_date, sum(e.quantity), sum(e.notional)
      FROM ({_LATE}) e
      JOIN trades_tradeversion v ON v.trade_id = e.trade_id AND v.version = e.version
      JOIN auth_user u ON u.id = v.actor_id
     WHERE (e.account_id, e.instrument_id) IN (
        SELECT * FROM unnest(%(key_accounts)s::bigint[], %(key_instruments)s::bigint[]))
     GROUP BY e.account_id, e.instrument_id, e.trade_id, e.version, v.id, u.id
     ORDER BY max(e.recorded_at), e.trade_id, e.version
"""


@dataclass(frozen=True, slots=True)
class Change:
    """A version recorded after the session's end, with its effect on one key up to the session.
    `pnl_effect` is against the close of now, null without one."""

    trade: UUID
    version: int
    status: str
    actor: str
    reason: str
    recorded_at: datetime
    trade_date: date
    quantity: Decimal
    pnl_effect: Decimal | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One key whose snapshot and present position of that session, or their closes, differ."""

    session: date
    account: str
    ticker: str
    snapshot_quantity: Decimal
    quantity: Decimal
    snapshot_close: Decimal | None
    close: Decimal | None
    pnl_effect: Decimal | None
    changes: tuple[Change, ...]


def snapshot_differences(*, run: SnapshotRun, accounts: Iterable[int]) -> list[Difference]:
    """The differences of a snapshot that is taken, by account and ticker."""
    of = list(accounts)
    legs = late_legs(run.session, run.ends_at, of)
    params: dict[str, Any] = {
        "accounts": of,
        "leg_accounts": [account for account, _ in legs],
        "leg_instruments": [instrument for _, instrument in legs],
        "leg_quantities": [quantity for quantity, _ in legs.values()],
        "leg_notionals": [-cash for _, cash in legs.values()],
        "session": run.session,
        "ends": run.ends_at,
        **source_params(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERENCES, params)
        found: list[Any] = cursor.fetchall()
        cursor.execute(
            _CHANGES,
            {
                **params,
                "key_accounts": [row[2] for row in found],
                "key_instruments": [row[3] for row in found],
            },
        )
        closes = {(row[2], row[3]): row[7] for row in found}
        changes: dict[tuple[int, int], list[Change]] = {}
        late: list[Any] = cursor.fetchall()
        for row in late:
            key, quantity, notional = (row[0], row[1]), row[9], row[10]
            effect = traded_pnl(closes[key], quantity, notional)
            trade, version, status, actor, reason, recorded_at, trade_date = row[2:9]
            changes.setdefault(key, []).append(
                Change(
                    trade, version, status, actor, reason, recorded_at, trade_date, quantity, effect
                )
            )
    return [
        Difference(
            run.session, account, ticker, then_held, now_held, then_close, now_close, effect,
            tuple(changes.get((pk, instrument), ())),
        )
        for (
            account, ticker, pk, instrument, then_held, now_held, then_close, now_close, effect,
        ) in found
    ]  # fmt: skip
