"""Setting guards: rows by account and code, each change a version."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from accounts.models import Account
from kernel import clock
from kernel.errors import FieldError, Invalid
from kernel.locks import Lock, transaction_lock
from trades.guard_rules import PROBABLE_DUPLICATE
from trades.models import Guard, GuardVersion

LEVELS = ("warn", "refuse", "minutes", "is_active")


@dataclass(frozen=True)
class Wanted:
    """One guard as somebody wants it; `account` is a code, or None for all accounts."""

    account: str | None
    code: str
    warn: Decimal | None = None
    refuse: Decimal | None = None
    is_active: bool = True
    minutes: int | None = None


@transaction.atomic
def guards_put(*, user: AbstractBaseUser, wanted: Sequence[Wanted]) -> list[Guard]:
    """Set these guards, all or none, each by its account and code; what is not named stays. One
    that is so already gets no new version. Raises Invalid, by row from 0."""
    transaction_lock(Lock.GUARDS_WRITE)
    accounts = {a.code: a for a in Account.objects.filter(code__in=[w.account for w in wanted])}
    _refuse(wanted, accounts)
    stood = {(g.account_id, g.code): g for g in Guard.objects.select_related("account")}
    put = []
    for each in wanted:
        account = None if each.account is None else accounts[each.account]
        levels = {name: getattr(each, name) for name in LEVELS}
        found = stood.get((None if account is None else account.pk, each.code))
        if found is None:
            found = Guard(account=account, code=each.code, version=0)
        elif all(getattr(found, name) == value for name, value in levels.items()):
            put.append(found)
            continue
        put.append(_write(found, levels, user))
    return put


def _write(guard: Guard, levels: dict[str, Any], user: AbstractBaseUser) -> Guard:
    for name, value in levels.items():
        setattr(guard, name, value)
    guard.version += 1
    guard.changed_by_id = user.pk
    guard.changed_at = clock.now()
    guard.save()
    GuardVersion.objects.create(guard=guard, version=guard.version, changed_by_id=user.pk, **levels)
    return guard


def _refuse(wanted: Sequence[Wanted], accounts: dict[str, Account]) -> None:
    errors, seen = [], set()
    for row, each in enumerate(wanted):
        found = guard_problems(each)
        if each.account is not None and each.account not in accounts:
            found.append(FieldError("unknown_account", "No account has this code.", "account"))
        if (each.account, each.code) in seen:
            found.append(FieldError("doubled", "This guard stands here twice.", "code"))
        seen.add((each.account, each.code))
        errors += [FieldError(e.code, e.detail, f"{row}.{e.attr}") for e in found]
    if errors:
        raise Invalid(*errors)


def guard_problems(wanted: Wanted) -> list[FieldError]:
    """The problems of one guard's levels, by field."""
    errors = []
    if wanted.warn is not None and wanted.refuse is not None and wanted.refuse < wanted.warn:
        detail = "This is less than what it asks from: nothing would be asked."
        errors.append(FieldError("below_warn", detail, "refuse"))
    if wanted.minutes is not None and wanted.code != PROBABLE_DUPLICATE:
        detail = f"Only {PROBABLE_DUPLICATE} looks back."
        errors.append(FieldError("no_minutes", detail, "minutes"))
    return errors
