"""Cost as projected against cost folded from the trades as they are now."""

from django.db import connection

from pnl.cost.average_cost import fold
from pnl.cost.fills import STANDING_TRADES, MissingVersion, folded, numbers
from trades.ledger.verify import Break


def cost_breaks() -> list[Break]:
    """Cost folded from the trades as they are now, less what lies beyond the checkpoint, against
    what the reader has folded from the ledger."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(_COSTS, {"consumer": "cost"})
        for account, instrument, code, ticker, fills, count, *stored in cursor.fetchall():
            key = f"{code or account} {ticker or instrument}"
            try:
                right = fold(numbers(fills, count)).decimals()
            except MissingVersion:
                # What is missing is named by the breaks of the ledger itself.
                found.append(Break("cost", key, stored[1], None, account, "cost"))
                continue
            for what, expected, value in zip(_COST_FIGURES, right, stored, strict=True):
                if (value or 0) != expected:
                    found.append(Break(what, key, value, expected, account, "cost"))
    return found


_COST_FIGURES = ("quantity held at cost", "cost", "realized P&L")

_FROM_TRADES = f"""
    {STANDING_TRADES}
    UNION ALL
    SELECT e.account_id, e.instrument_id, e.trade_date, v.executed_at, e.trade_id, v.price,
           -e.quantity
      FROM trades_ledgerentry e
      LEFT JOIN trades_tradeversion v
        ON v.trade_id = e.trade_id AND v.version = e.version - (e.trades < 0)::int
      LEFT JOIN trades_checkpoint c ON c.consumer = %(consumer)s AND c.shard = e.shard
     WHERE (e.epoch, e.txid, e.id)
           > (coalesce(c.epoch, 0), coalesce(c.txid, '0'::xid8), coalesce(c.entry_id, 0))
"""

_COSTS = f"""
    SELECT account_id, instrument_id, a.code, i.ticker, f.fills, coalesce(f.fill_count, 0),
           c.quantity, c.cost, c.realized_pnl
      FROM ({folded(_FROM_TRADES)}) f
      FULL JOIN pnl_cost c USING (account_id, instrument_id)
      LEFT JOIN accounts_account a ON a.id = account_id
      LEFT JOIN prices_instrument i ON i.id = instrument_id
     ORDER BY 3, 4
"""
