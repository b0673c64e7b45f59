"""Breaches of limits: opened, followed and closed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import uuid_utils
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.selectors import AnyUser, viewable_accounts
from kernel import notices, prepared
from trades.guards.read import may_manage
from trades.limit_rules import WITHIN, state_of
from trades.models import Breach, Limit


def limits_active(account: int | None = None) -> list[Limit]:
    """All that hold, or those of an account and its groups, with their accounts."""
    found = Limit.objects.filter(is_active=True).select_related("account", "group").order_by("pk")
    if account is not None:
        found = found.filter(Q(account=account) | Q(group__accounts=account)).distinct()
    return list(found.prefetch_related("group__accounts"))


def accounts_of(limit: Limit) -> list[int]:
    if limit.account_id is not None:
        return [limit.account_id]
    return [account.pk for account in limit.group.accounts.all()] if limit.group else []


def limits_seen(user: AnyUser) -> QuerySet[Limit]:
    """The limits of the accounts that the user may view, and of groups in which they may view all;
    all of them for who may set them."""
    found = Limit.objects.select_related("account", "group", "changed_by")
    if may_manage(user):
        return found
    mine = [account.pk for account in viewable_accounts(user)]
    others = Q(group__accounts__isnull=False) & ~Q(group__accounts__in=mine)
    hidden = Limit.objects.filter(others).values("pk")
    return found.filter(Q(account__in=mine) | Q(group__isnull=False)).exclude(pk__in=hidden)


def breaches_follow(values: Mapping[int, Decimal], limits: Sequence[Limit], now: datetime) -> int:
    """Open, follow and close breaches by what was measured, by the limit's id: how many opened or
    closed, or changed between warned and breached. In the transaction that holds the lock of the
    measuring."""
    active = {limit.pk: limit for limit in limits}
    followed = list(Breach.objects.filter(closed_at=None).select_related("limit__group"))
    moved: list[Breach] = []
    for breach in followed:
        limit = active.pop(breach.limit_id, None)
        value = None if limit is None else values.get(limit.pk)
        if limit is None or value is None:
            state = WITHIN
        else:
            state = state_of(value, limit.amount, limit.alert_at)
            breach.value, breach.amount = value, limit.amount
            breach.worst = max(breach.worst, value)
        if state != breach.state:
            moved.append(breach)
        if state == WITHIN:
            breach.closed_at = now
        else:
            breach.state = state
    _write(followed, now)
    opened = []
    for pk, limit in active.items():
        value = values.get(pk)
        state = WITHIN if value is None else state_of(value, limit.amount, limit.alert_at)
        if value is not None and state != WITHIN:
            opened.append(
                Breach(
                    id=UUID(bytes=uuid_utils.uuid7().bytes),
                    limit=limit,
                    state=state,
                    value=value,
                    worst=value,
                    amount=limit.amount,
                    opened_at=now,
                    seen_at=now,
                )
            )
    Breach.objects.bulk_create(opened)
    transaction.on_commit(lambda: _tell([*moved, *opened]), robust=True)
    return len(moved) + len(opened)


_FOLLOWED = """
    UPDATE trades_breach b
       SET state = f.state, value = f.value, worst = f.worst, amount = f.amount,
           closed_at = f.closed_at, seen_at = %(now)s
      FROM unnest(%(ids)s::uuid[], %(states)s::text[], %(values)s::numeric[], %(worst)s::numeric[],
                  %(amounts)s::numeric[], %(closed)s::timestamptz[])
           AS f (id, state, value, worst, amount, closed_at)
     WHERE b.id = f.id
"""


def _write(followed: Sequence[Breach], now: datetime) -> None:
    """Write all of them in one statement: a bad day breaches a thousand limits."""
    if followed:
        prepared.rows(
            _FOLLOWED,
            {
                "now": now,
                "ids": [b.pk for b in followed],
                "states": [b.state for b in followed],
                "values": [b.value for b in followed],
                "worst": [b.worst for b in followed],
                "amounts": [b.amount for b in followed],
                "closed": [b.closed_at for b in followed],
            },
        )


def _tell(moved: Sequence[Breach]) -> None:
    notices.publish(
        notices.breach_moved(str(breach.pk), accounts)
        for breach in moved
        if (accounts := accounts_of(breach.limit))
    )


def breaches_by_id(ids: Iterable[str]) -> list[Breach]:
    found = Breach.objects.filter(pk__in=list(ids))
    return list(found.select_related("limit__account", "limit__group"))


def breaches_page(
    user: AnyUser, is_open: bool | None, limit: int, after: UUID | None, before: UUID | None
) -> list[Breach]:
    """At most `limit` of those that the user may see, newest first, from after an id on or up to
    before one."""
    found = Breach.objects.filter(limit__in=limits_seen(user)).select_related(
        "limit__account", "limit__group"
    )
    if is_open is not None:
        found = found.filter(closed_at__isnull=is_open)
    if before is not None:
        return list(found.filter(pk__gt=before).order_by("pk")[:limit])[::-1]
    found = found if after is None else found.filter(pk__lt=after)
    return list(found.order_by("-pk")[:limit])


def breaches_open() -> dict[str, int]:
    """How many are open, by state; zeros included."""
    found = Breach.objects.filter(closed_at=None).values_list("state", flat=True)
    states = list(found)
    return {state: states.count(state) for state in Breach.State.values}
