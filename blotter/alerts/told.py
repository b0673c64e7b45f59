"""Firings of alerts, as users are told of them, until they say that they have seen them."""

from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import QuerySet

from blotter.alert_rules import ACCOUNT_PNL, BELOW, OTHERS_TRADES, POSITION, STALE
from blotter.alerts.keep import allowed
from blotter.models import Alert, AlertFiring
from kernel import notices
from kernel.api.rows import Row, moment, text
from kernel.money import normalized

MOST_TOLD = 100
"""Of one user, the newest that they have not seen."""
CENT = Decimal("0.01")


def _firings() -> QuerySet[AlertFiring]:
    return AlertFiring.objects.select_related("alert__account", "alert__instrument", "alert__user")


def firings_by_id(ids: Iterable[str]) -> list[AlertFiring]:
    """Those of alerts that their users may be told of: a right that was taken away silences what
    an alert told before, too."""
    firings = list(_firings().filter(pk__in=list(ids)))
    may = {alert.pk for alert in allowed({f.alert_id: f.alert for f in firings}.values())}
    return [firing for firing in firings if firing.alert_id in may]


def firings_unseen(users: Collection[int]) -> list[AlertFiring]:
    """The newest of these users that they have not seen, oldest first."""
    found = _firings().filter(seen_at=None, alert__in=_spoken(users))
    return list(found.order_by("-pk")[: MOST_TOLD * len(users)])[::-1]


def firings_page(
    user: AbstractBaseUser, unseen: bool, limit: int, after: UUID | None, before: UUID | None
) -> list[AlertFiring]:
    """At most `limit` of the user's own, newest first, from after an id on or up to before one."""
    found = _firings().filter(alert__in=_spoken([user.pk]))
    if unseen:
        found = found.filter(seen_at=None)
    if before is not None:
        return list(found.filter(pk__gt=before).order_by("pk")[:limit])[::-1]
    found = found if after is None else found.filter(pk__lt=after)
    return list(found.order_by("-pk")[:limit])


def _spoken(users: Collection[int]) -> list[UUID]:
    """The alerts of these users that they may be told of."""
    found = Alert.objects.filter(user__in=list(users)).select_related("account", "user")
    return [alert.pk for alert in allowed(found)]


def firings_see(*, user: AbstractBaseUser, ids: Collection[UUID], now: datetime) -> int:
    """The user has seen these, on whatever device; their other pages are told. How many were not
    seen before; ids of others are passed over."""
    mine = AlertFiring.objects.filter(alert__user_id=user.pk, seen_at=None, pk__in=list(ids))
    seen = list(mine.values_list("pk", flat=True))
    AlertFiring.objects.filter(pk__in=seen, seen_at=None).update(seen_at=now)
    notices.publish([notices.alert_moved(user.pk, str(each)) for each in seen])
    return len(seen)


def firing_row(firing: AlertFiring) -> Row:
    alert, facts = firing.alert, firing.facts
    return {
        "id": str(firing.pk),
        "alert": str(firing.alert_id),
        "kind": alert.kind,
        "account": alert.account and alert.account.code,
        "ticker": alert.instrument.ticker if alert.instrument else facts.get("ticker"),
        "way": firing.way or None,
        "level": text(firing.level),
        "value": text(firing.value),
        "text": words(firing),
        "trade": facts.get("trade"),
        "versions": facts.get("versions"),
        "by": facts.get("by"),
        "opened_at": moment(firing.opened_at),
        "closed_at": moment(firing.closed_at),
        "seen_at": moment(firing.seen_at),
    }


def words(firing: AlertFiring) -> str:
    """What happened, in one line."""
    alert, facts = firing.alert, firing.facts
    account = alert.account.code if alert.account else ""
    if alert.kind == OTHERS_TRADES:
        more, quantity, price = facts["versions"] - 1, facts["quantity"], facts["price"]
        did = (
            f"{account}: {facts['by']} {facts['what']} {facts['side']} {_grouped(quantity)}"
            f" {facts['ticker']} @ {_grouped(price)}"
        )
        return f"{did}, and {more:,} more" if more else did
    ticker = alert.instrument.ticker if alert.instrument else facts.get("ticker")
    value, level = firing.value or Decimal(0), firing.level or Decimal(0)
    if alert.kind == STALE:
        of = f"{ticker} in {account}" if account else ticker
        return f"The price of {of} is {_shown(value)} minutes old, more than {_shown(level)}"
    beyond = f"{'below' if firing.way == BELOW else 'above'} {_shown(level)}"
    if alert.kind == ACCOUNT_PNL:
        partial = " (partial)" if facts.get("partial") else ""
        cents = value.quantize(CENT, ROUND_HALF_EVEN)
        return f"P&L of {account} is {cents:,}{partial}, {beyond}"
    if alert.kind == POSITION:
        return f"{account} holds {_shown(value)} {ticker}, {beyond}"
    return f"{ticker} is at {_shown(value)}, {beyond}"


def _shown(value: Decimal) -> str:
    return _grouped(normalized(value))


def _grouped(plain: str) -> str:
    return f"{Decimal(plain):,}"
