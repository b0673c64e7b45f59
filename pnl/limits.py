"""Limits over the live rows: measured each minute and after each batch of the ledger's readers."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import F, Sum

from kernel.locks import Lock, try_transaction_lock
from pnl.live.exposure import Exposure, Part, exposures
from pnl.watching import is_due
from prices.sessions import sessions
from trades.guards.breaches import accounts_of, breaches_follow, limits_active
from trades.limit_rules import (
    DAY_LOSS,
    DAY_NOTIONAL,
    GROSS,
    LONG,
    NAME,
    NAME_SHARE,
    NET,
    POSITION,
    SHORT,
)
from trades.models import Limit, Status, Trade

ZERO = Decimal(0)
WATCH = "limits"
_LOOKS_AT = {
    NAME: Part.NAME, NAME_SHARE: Part.NAME, POSITION: Part.POSITION, DAY_LOSS: Part.PNL,
}  # fmt: skip


def limits_due() -> bool:
    """Whether a measurement is to be asked for: there are limits, and none was asked for that has
    not begun, as after each of many batches. A Redis that is away leaves it to the minute."""
    return Limit.objects.filter(is_active=True).exists() and is_due(WATCH)


def measured(kind: str, exposure: Exposure, day_notional: Decimal) -> Decimal:
    """What a limit of this kind is compared with."""
    return {
        GROSS: exposure.gross,
        NET: abs(exposure.net),
        LONG: exposure.long,
        SHORT: -exposure.short,
        NAME: exposure.name,
        NAME_SHARE: exposure.name_share,
        POSITION: exposure.position,
        DAY_NOTIONAL: day_notional,
        DAY_LOSS: max(ZERO, -exposure.pnl),
    }[kind]


@transaction.atomic
def limits_watch(*, now: datetime) -> int | None:
    """Measure every limit and open, follow or close its breach; how many changed. One statement
    over the live rows, and one over the day's trades where a limit is of those. None, and nothing
    done, while another one measures: what that read may be older."""
    if not try_transaction_lock(Lock.LIMITS_WATCH):
        return None
    limits = limits_active()
    if not limits:
        return breaches_follow({}, [], now)
    return breaches_follow(measures(limits, now), limits, now)


def measures(limits: Sequence[Limit], now: datetime) -> dict[int, Decimal]:
    """What each limit is compared with, by its id."""
    scopes: dict[tuple[int, ...], int] = {}
    of_limit: dict[int, tuple[int, ...]] = {}
    for limit in limits:
        accounts = tuple(sorted(accounts_of(limit)))
        of_limit[limit.pk] = accounts
        scopes.setdefault(accounts, len(scopes))
    found = exposures(
        {number: accounts for accounts, number in scopes.items()},
        now,
        parts=frozenset(_LOOKS_AT[limit.kind] for limit in limits if limit.kind in _LOOKS_AT),
    )
    of_day = {a for limit in limits if limit.kind == DAY_NOTIONAL for a in of_limit[limit.pk]}
    traded = day_notionals(of_day, now)
    return {
        limit.pk: measured(
            limit.kind,
            found[scopes[of_limit[limit.pk]]],
            sum((traded.get(account, ZERO) for account in of_limit[limit.pk]), ZERO),
        )
        for limit in limits
    }


def day_notionals(accounts: set[int], now: datetime) -> dict[int, Decimal]:
    """The notional of the business date's standing trades, by account."""
    if not accounts:
        return {}
    today = sessions().business_date(now)
    trades = Trade.objects.filter(account__in=accounts, trade_date=today)
    sums = (
        trades.exclude(status=Status.CANCELLED)
        .values("account_id")
        .annotate(traded=Sum(F("quantity") * F("price")))
    )
    return dict(sums.values_list("account_id", "traded"))
