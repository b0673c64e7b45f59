"""What is traded, what of it has settled, and what has not, by account and instrument.

Quantities are as traded: corporate actions change neither what was agreed nor what is delivered
for it here. Settled is what a settlement date says: the system keeps nothing of deliveries. A trade
that failed is amended to the day on which it is expected, so one is overdue when it was booked to
settle by a day, and that day later says it settles after it.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from kernel import prepared
from trades.ledger.sql import effective_entries, paid, settles_on

# Kept sums hold all that was traded; of a past day only the ledger tells.
_KEPT = """
    SELECT account_id, instrument_id, settlement_date, quantity, amount
      FROM positions_settling WHERE account_id = ANY(%(accounts)s)
"""
_FROM_ENTRIES = f"""
    SELECT e.account_id, e.instrument_id, {settles_on("e")} AS settlement_date, e.quantity,
           {paid("e")} AS amount
      FROM ({effective_entries("%(day)s")}) e WHERE e.account_id = ANY(%(accounts)s)
"""
# One row a key; days on which something of it settles that has not settled yet, oldest first.
_ROWS = """
    WITH settling AS (
        SELECT account_id, instrument_id, greatest(settlement_date, %(day)s::date) AS on_day,
               sum(quantity) AS quantity, sum(amount) AS amount
          FROM ({sums}) s
         GROUP BY account_id, instrument_id, greatest(settlement_date, %(day)s::date)
    )
    SELECT ac.code, i.ticker, account_id, instrument_id, i.currency, sum(s.quantity),
           coalesce(sum(s.quantity) FILTER (WHERE on_day = %(day)s), 0),
           array_agg(on_day ORDER BY on_day) FILTER (WHERE {open}),
           array_agg(s.quantity ORDER BY on_day) FILTER (WHERE {open}),
           array_agg(s.amount ORDER BY on_day) FILTER (WHERE {open})
      FROM settling s
      JOIN accounts_account ac ON ac.id = s.account_id
      JOIN prices_instrument i ON i.id = s.instrument_id
     GROUP BY ac.code, i.ticker, account_id, instrument_id, i.currency
    HAVING sum(s.quantity) <> 0 OR bool_or({open})
        OR sum(s.quantity) FILTER (WHERE on_day = %(day)s) <> 0
     ORDER BY ac.code COLLATE "C", i.ticker COLLATE "C"
"""
_OPEN = "on_day > %(day)s AND (s.quantity <> 0 OR s.amount <> 0)"
_LIVE = _ROWS.format(sums=_KEPT, open=_OPEN)
_PAST = _ROWS.format(sums=_FROM_ENTRIES, open=_OPEN)

# A trade keeps for ever the first day on which it was to settle: that of its first version.
_OVERDUE = f"""
    SELECT DISTINCT t.account_id, t.instrument_id, t.settlement_date
      FROM unnest(%(key_accounts)s::bigint[], %(key_instruments)s::bigint[])
           AS k (account_id, instrument_id)
      JOIN trades_trade t ON t.account_id = k.account_id AND t.instrument_id = k.instrument_id
       AND t.status = 'amended' AND t.settlement_date > %(day)s AND t.trade_date <= %(day)s
      JOIN trades_tradeversion v ON v.trade_id = t.id AND v.version = 1
       AND {settles_on("v")} <= %(day)s
"""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What settles on a day to come, in the instrument's currency; paid > 0."""

    settlement_date: date
    quantity: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class SettlementRow:
    """One account and instrument on a day. `overdue` names the days of `unsettled` on which there
    is a trade that should have settled already."""

    account: str
    ticker: str
    currency: str
    traded: Decimal
    settled: Decimal
    unsettled: list[Unsettled]
    overdue: list[date] = field(default_factory=list)


def settlement_rows(
    *, accounts: Iterable[int], day: date, is_past: bool = False
) -> list[SettlementRow]:
    """By account and ticker, what was traded up to a day, and what of it has settled by then, as
    known now. Keys with nothing held and nothing open are left out. Of the present the kept sums
    tell; with `is_past` the ledger does."""
    of = list(accounts)
    params = {"accounts": of, "day": day}
    found = prepared.rows_planned(_PAST if is_past else _LIVE, params)
    late = overdue_days([(row[2], row[3]) for row in found if row[7]], day)
    rows = []
    for account, ticker, pk, name, currency, traded, settled, days, quantities, amounts in found:
        each = zip(days or (), quantities or (), amounts or (), strict=True)
        unsettled = [Unsettled(*values) for values in each]
        overdue = [u.settlement_date for u in unsettled if (pk, name, u.settlement_date) in late]
        rows.append(SettlementRow(account, ticker, currency, traded, settled, unsettled, overdue))
    return rows


def overdue_days(keys: Collection[tuple[int, int]], day: date) -> set[tuple[int, int, date]]:
    """Of keys (account id, instrument id), the days to come with a trade that should have settled
    by the day. No query where nothing is open."""
    if not keys:
        return set()
    found = prepared.rows_planned(
        _OVERDUE,
        {
            "key_accounts": [account for account, _ in keys],
            "key_instruments": [instrument for _, instrument in keys],
            "day": day,
        },
    )
    return {(account, instrument, on) for account, instrument, on in found}
