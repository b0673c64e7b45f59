"""The intraday series: what each account's P&L was, minute by minute. Nothing rewrites a point."""

from datetime import datetime

from pnl.live.totals import live_totals
from pnl.models import AccountPnl, Holding
from prices.sessions import sessions
from prices.sources import source


def intraday_record(*, now: datetime) -> int:
    """Add a point of this minute for every account that ever held anything; how many are new.

    The second call in a minute adds nothing. Points come while the exchange is open, or at any hour
    when the price source ticks at any hour; in between there is nothing to see.
    """
    if not (sessions().is_open(now) or source().ticks_at_any_hour):
        return 0
    accounts = dict(Holding.objects.values_list("account__code", "account_id").distinct())
    minute = now.replace(second=0, microsecond=0)
    there = set(
        AccountPnl.objects.filter(at=minute, account__in=accounts.values()).values_list(
            "account_id", flat=True
        )
    )
    missing = [pk for pk in accounts.values() if pk not in there]
    if not missing:
        return 0
    day = sessions().business_date(now)
    points = AccountPnl.objects.bulk_create(
        (
            AccountPnl(
                account_id=accounts[total.account],
                session=day,
                at=minute,
                trade_pnl=total.trade_pnl,
                position_pnl=total.position_pnl,
                action_pnl=total.action_pnl,
                pnl_valid=total.invalid_rows == 0,
            )
            for total in live_totals(accounts=missing, now=now)
        ),
        ignore_conflicts=True,
    )
    return len(points)
