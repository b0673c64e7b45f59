"""Alerts, judged each minute, after each refresh of quotes and after batches of the ledger's
readers: once for all processes, under one lock, and committed before anybody is told."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import uuid_utils
from django.db import transaction
from django.db.models import Max

from blotter.alert_rules import OTHERS_TRADES, holds, rest_of
from blotter.alerts.keep import allowed
from blotter.alerts.measure import Measured, measures
from blotter.alerts.others import others_trades
from blotter.models import Alert, AlertFiring
from kernel import notices
from kernel.locks import Lock, try_transaction_lock

TOLD_AGAIN_FOR = timedelta(minutes=2)
"""A firing that is not seen yet is told again for so long: who told it first may have died before,
or Redis was away. Pages know it by its id."""


def alerts_set() -> bool:
    """Whether there is anything to judge."""
    return Alert.objects.filter(is_active=True).exists()


def alerts_watch(*, now: datetime) -> int | None:
    """Judge every alert; how many fired. None, and nothing done, while another one judges: what
    that read may be older."""
    if not alerts_set() and not AlertFiring.objects.filter(closed_at=None).exists():
        return 0
    _tell(_unseen_since(now - TOLD_AGAIN_FOR))
    fired = _judge(now)
    return None if fired is None else len(fired)


def _unseen_since(moment: datetime) -> list[AlertFiring]:
    found = AlertFiring.objects.filter(seen_at=None, opened_at__gte=moment)
    return list(found.select_related("alert"))


@transaction.atomic
def _judge(now: datetime) -> list[AlertFiring] | None:
    if not try_transaction_lock(Lock.ALERTS_WATCH):
        return None
    active = Alert.objects.filter(is_active=True).select_related("account", "instrument", "user")
    alerts = allowed(active.annotate(last_fired_at=Max("firings__opened_at")))
    levels = [alert for alert in alerts if alert.kind != OTHERS_TRADES]
    measured = measures(levels, now)
    still_open = _close(measured, {alert.pk: alert for alert in levels}, now)
    fired = [
        _firing(alert, found.value, found.facts, now)
        for alert in levels
        if alert.pk not in still_open
        and (found := measured.get(alert.pk, Measured(None))).value is not None
        and _holds(alert, found.value)
        and _rested(alert, now)
    ]
    rested = [a for a in alerts if a.kind == OTHERS_TRADES and _rested(a, now)]
    if rested:
        fired += _of_trades(rested, now)
    AlertFiring.objects.bulk_create(fired)
    once = [firing for firing in fired if firing.alert.is_once]
    Alert.objects.filter(pk__in=[firing.alert_id for firing in once]).update(is_active=False)
    transaction.on_commit(lambda: _tell(fired), robust=True)
    return fired


def _close(
    measured: Mapping[UUID, Measured], alerts: Mapping[UUID, Alert], now: datetime
) -> set[UUID]:
    """End the firings that hold no more, and those of alerts that are judged no more; the alerts
    whose firings go on. A value that is not known ends none."""
    over, goes_on = [], set()
    for firing in AlertFiring.objects.filter(closed_at=None):
        alert = alerts.get(firing.alert_id)
        value = measured.get(firing.alert_id, Measured(None)).value
        if alert is not None and (value is None or _holds(alert, value)):
            goes_on.add(firing.alert_id)
        else:
            over.append(firing.pk)
    if over:
        AlertFiring.objects.filter(pk__in=over).update(closed_at=now)
    return goes_on


def _of_trades(alerts: list[Alert], now: datetime) -> list[AlertFiring]:
    found = others_trades(alerts)
    Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(trades_to=found.upto)
    return [
        _firing(alert, None, found.facts[alert.pk], now, closed_at=now)
        for alert in alerts
        if alert.pk in found.facts
    ]


def _holds(alert: Alert, value: Decimal) -> bool:
    return alert.level is not None and holds(alert.way, alert.level, value)


def _rested(alert: Any, now: datetime) -> bool:
    """Whether it may fire: the last time was long enough ago, or of before it was set anew."""
    last = alert.last_fired_at
    return last is None or last < alert.set_at or now - last >= rest_of(alert.kind)


def _firing(
    alert: Alert,
    value: Decimal | None,
    facts: Mapping[str, Any],
    now: datetime,
    closed_at: datetime | None = None,
) -> AlertFiring:
    return AlertFiring(
        id=UUID(bytes=uuid_utils.uuid7().bytes),
        alert=alert,
        way=alert.way,
        level=alert.level,
        value=value,
        facts=dict(facts),
        opened_at=now,
        # One that fires once only is over with it.
        closed_at=now if alert.is_once else closed_at,
    )


def _tell(fired: Iterable[AlertFiring]) -> None:
    told = [notices.alert_moved(firing.alert.user_id, str(firing.pk)) for firing in fired]
    if told:
        notices.publish(told)
