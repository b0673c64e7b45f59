"""Cost as projected against cost folded from the trades as they are now."""

from django.db import connection

from pnl.cost.average_cost import fold
from pnl.cost.fills import MissingVersion, entries_with_terms, folded, numbers
from trades.ledger.sql import BEYOND_CHECKPOINT, ENTRIES_AND_CHECKPOINTS, STANDING_TRADES
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
                # The breaks of the ledger itself name the missing version.
                found.append(Break("cost", key, stored[1], None, account, "cost"))
                continue
            for what, expected, value in zip(_COST_FIGURES, right, stored, strict=True):
                if (value or 0) != expected:
                    found.append(Break(what, key, value, expected, account, "cost"))
    return found


_COST_FIGURES = ("quantity held at cost", "cost", "realized P&L")

_NOT_READ = entries_with_terms(BEYOND_CHECKPOINT, entries=ENTRIES_AND_CHECKPOINTS, sign="-")
_FROM_TRADES = f"""
    {STANDING_TRADES}
    UNION ALL
    {_NOT_READ}
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
