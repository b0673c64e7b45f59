"""Holdings and daily activity against the trades as they are now."""

from trades.ledger.sql import BEYOND, STANDING, SUMS
from trades.ledger.verify import Break, breaks_of, quantity_breaks


def pnl_breaks() -> list[Break]:
    return [
        *quantity_breaks("holding", "pnl_holding", "pnl"),
        *(b for column in SUMS for b in _activity_breaks(column)),
    ]


def _activity_breaks(column: str) -> list[Break]:
    return breaks_of(
        f"daily activity, {column}",
        f"""
        WITH standing AS ({STANDING}), beyond AS ({BEYOND})
        SELECT account_id, instrument_id, trade_date::text,
               coalesce(a.{column}, 0), coalesce(s.{column}, 0) - coalesce(b.{column}, 0)
          FROM pnl_dailyactivity a
          FULL JOIN standing s USING (account_id, instrument_id, trade_date)
          FULL JOIN beyond b USING (account_id, instrument_id, trade_date)
         WHERE coalesce(a.{column}, 0) <> coalesce(s.{column}, 0) - coalesce(b.{column}, 0)
        """,
        "pnl",
    )
