"""Setting limits: rows by account or group and kind; each change is recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from accounts.models import Account
from kernel import clock
from kernel.errors import FieldError, Invalid
from kernel.locks import Lock, transaction_lock
from trades.limit_rules import ALERT, ALERT_AT, REFUSABLE, REFUSE
from trades.models import AccountGroup, Limit

LEVELS = ("amount", "alert_at", "mode", "is_active")


@dataclass(frozen=True)
class WantedLimit:
    """One limit as somebody wants it, of an account by its code or of a group by its name."""

    kind: str
    amount: Decimal
    account: str | None = None
    group: str | None = None
    alert_at: Decimal = ALERT_AT
    mode: str = ALERT
    is_active: bool = True


@transaction.atomic
def limits_put(*, user: AbstractBaseUser, wanted: Sequence[WantedLimit]) -> list[Limit]:
    """Set these limits, all or none; what is not named stays, and one that is so already gets no
    new version. Raises Invalid, by row from 0."""
    transaction_lock(Lock.GUARDS_WRITE)
    accounts = {a.code: a for a in Account.objects.filter(code__in=[w.account for w in wanted])}
    groups = {g.name: g for g in AccountGroup.objects.filter(name__in=[w.group for w in wanted])}
    _refuse(wanted, accounts, groups)
    stood = {
        (each.account_id, each.group_id, each.kind): each
        for each in Limit.objects.select_related("account", "group", "changed_by")
    }
    put = []
    for each in wanted:
        account = accounts[each.account] if each.account else None
        group = groups[each.group] if each.group else None
        of = (account.pk if account else None, group.pk if group else None)
        found = stood.get((*of, each.kind))
        if found is None:
            found = Limit(account=account, group=group, kind=each.kind, version=0)
        elif all(getattr(found, name) == getattr(each, name) for name in LEVELS):
            put.append(found)
            continue
        for name in LEVELS:
            setattr(found, name, getattr(each, name))
        found.version += 1
        found.changed_by_id, found.changed_at = user.pk, clock.now()
        found.save()
        put.append(found)
    return put


def limit_problems(wanted: WantedLimit) -> list[FieldError]:
    """The problems of one limit, by field."""
    errors = []
    if (wanted.account is None) == (wanted.group is None):
        errors.append(FieldError("one_of", "Name an account or a group.", "account"))
    if wanted.mode == REFUSE and (wanted.kind not in REFUSABLE or wanted.account is None):
        detail = f"Only {' and '.join(REFUSABLE)} of an account can refuse."
        errors.append(FieldError("not_refusable", detail, "mode"))
    if not 0 < wanted.alert_at <= 100:
        errors.append(FieldError("invalid", "This must be above 0 and at most 100.", "alert_at"))
    return errors


def _refuse(
    wanted: Sequence[WantedLimit], accounts: dict[str, Account], groups: dict[str, AccountGroup]
) -> None:
    errors, seen = [], set()
    for row, each in enumerate(wanted):
        found = limit_problems(each)
        if each.account is not None and each.account not in accounts:
            found.append(FieldError("unknown_account", "No account has this code.", "account"))
        if each.group is not None and each.group not in groups:
            found.append(FieldError("unknown_group", "No group has this name.", "group"))
        key = (each.account, each.group, each.kind)
        if key in seen:
            found.append(FieldError("doubled", "This limit stands here twice.", "kind"))
        seen.add(key)
        errors += [FieldError(e.code, e.detail, f"{row}.{e.attr}") for e in found]
    if errors:
        raise Invalid(*errors)
