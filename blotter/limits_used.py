"""How much of each limit a booking would use."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from pnl.limits import day_notionals, measured
from pnl.live.exposure import Exposure, exposures
from prices.sessions import sessions
from trades.guards.breaches import accounts_of, limits_active
from trades.limit_rules import NAME, NAME_SHARE, POSITION
from trades.models import Limit
from trades.services.checking import Checked

ZERO = Decimal(0)


@dataclass(frozen=True)
class LimitUsed:
    """What a limit is compared with before and after a booking."""

    limit: Limit
    before: Decimal
    after: Decimal


def limits_with(
    checked: Checked, *, held: tuple[Exposure, Exposure], mark: Decimal | None, now: datetime
) -> list[LimitUsed]:
    """Each limit that the booking's account is under; `held` is the account's own exposure before
    and after. Of a group's names nothing is told: they are measured each minute."""
    limits = limits_active(checked.account_id)
    if not limits:
        return []
    scopes = {number: accounts_of(limit) for number, limit in enumerate(limits)}
    found = exposures(scopes, now)
    accounts = {account for some in scopes.values() for account in some}
    traded = day_notionals(accounts, now)
    at_once = ZERO if mark is None else checked.gain(mark)
    is_today = checked.terms.trade_date == sessions().business_date(now)
    said = []
    for number, limit in enumerate(limits):
        own = limit.account_id is not None
        if not own and limit.kind in (NAME, NAME_SHARE, POSITION):
            continue
        was = replace(held[0], pnl=found[number].pnl) if own else found[number]
        will = replace(
            was,
            long=was.long + held[1].long - held[0].long,
            short=was.short + held[1].short - held[0].short,
            name=held[1].name,
            position=held[1].position,
            pnl=was.pnl + at_once,
        )
        day = sum((traded.get(account, ZERO) for account in scopes[number]), ZERO)
        after = day + checked.notional * is_today
        said.append(
            LimitUsed(limit, measured(limit.kind, was, day), measured(limit.kind, will, after))
        )
    return said
