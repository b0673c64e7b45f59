"""Holdings and daily activity against the trades as they are now."""

from decimal import Decimal

from pnl.activity.legs import applied_actions, leg_breaks, work_waits
from prices.actions.read import actions_counting
from trades.ledger.sql import BEYOND, STANDING, SUMS
from trades.ledger.verify import Break, breaks_of, quantity_breaks
from trades.models import LEDGER_SHARDS


def pnl_breaks() -> list[Break]:
    return [
        *quantity_breaks("holding", "pnl_holding", "pnl"),
        *(b for column in SUMS for b in _activity_breaks(column)),
        *_leg_breaks(),
    ]


def _leg_breaks() -> list[Break]:
    """Legs that are not what the trades and the applied actions make, and shards where other
    actions are applied than count, though no work waits."""
    found = [
        Break(
            f"leg of an action, {what}", f"{account} {instrument} {ex_date}", kept, right,
            account, "pnl",
        )
        for account, instrument, ex_date, what, kept, right in leg_breaks()
    ]  # fmt: skip
    if not work_waits():
        counting = {action.id for action in actions_counting()}
        for shard in range(LEDGER_SHARDS):
            applied = {a.id for a in applied_actions([shard]).get(shard, ())}
            if applied != counting:
                found.append(
                    Break(
                        "applied actions", f"shard {shard}", Decimal(len(applied)),
                        Decimal(len(counting)), None, "pnl",
                    )
                )  # fmt: skip
    return found


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
