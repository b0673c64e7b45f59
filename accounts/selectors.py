"""The accounts that a user may view, their rights in each, and their tokens."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from accounts.callers import HOLDS, TOKENS
from accounts.models import Account, Named
from kernel import prepared

AnyUser = AbstractBaseUser | AnonymousUser


@dataclass(frozen=True)
class Rights:
    """A user's rights in one account that they may view."""

    account: Account
    can_book: bool
    can_correct: bool


_RIGHTS = """
    SELECT a.id, a.code, a.name, a.can_short, a.is_active, a.guards_version,
           a.is_limited, a.has_fee_schedules,
           %(all)s::boolean OR e.can_book, %(all)s::boolean OR e.can_correct
      FROM accounts_account a
      LEFT JOIN accounts_entitlement e
        ON e.account_id = a.id AND e.user_id = %(user)s AND e.can_view
     WHERE (%(all)s::boolean OR e.id IS NOT NULL)
       AND (%(codes)s::text[] IS NULL OR a.code = ANY(%(codes)s::text[]))
     ORDER BY a.code
"""


def account_rights(user: AnyUser, codes: list[str] | None = None) -> list[Rights]:
    """The accounts that the user may view, by code, with what else they may do there; narrowed to
    `codes` when given.

    A superuser may do everything everywhere; everyone else has what entitlements say.
    """
    if not user.is_active or user.pk is None:
        return []
    is_root = bool(getattr(user, "is_superuser", False))
    found = prepared.rows(_RIGHTS, {"user": user.pk, "all": is_root, "codes": codes})
    return [Rights(Account(*row[:8]), row[8], row[9]) for row in found]


def viewable_accounts(user: AnyUser, codes: list[str] | None = None) -> list[Account]:
    """The accounts that the user may view, by code; narrowed to `codes` when there are any."""
    return [r.account for r in account_rights(user, codes or None)]


def viewable(wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """Which of these (user id, account code) are of a user who may view that account, with its id.
    One query, however many there are."""
    pairs = list(wanted)
    found = prepared.rows_planned(
        _VIEWABLE, {"users": [user for user, _ in pairs], "codes": [code for _, code in pairs]}
    )
    return {(user, code): account for user, code, account in found}


_VIEWABLE = """
    SELECT w.user_id, w.code, a.id
      FROM unnest(%(users)s::bigint[], %(codes)s::text[]) AS w (user_id, code)
      JOIN auth_user u ON u.id = w.user_id AND u.is_active
      JOIN accounts_account a ON a.code = w.code
     WHERE u.is_superuser OR EXISTS (
        SELECT FROM accounts_entitlement e
         WHERE e.user_id = w.user_id AND e.account_id = a.id AND e.can_view)
"""


class Code(NamedTuple):
    """What a code of a strategy or a counterparty means."""

    pk: int
    is_active: bool


def codes_known(kind: type[Named], codes: Iterable[str | None]) -> dict[str, Code]:
    """Those of these codes that there are. No query where none is named."""
    named = {code for code in codes if code is not None}
    if not named:
        return {}
    found = kind._default_manager.filter(code__in=named)
    return {code: Code(*row) for code, *row in found.values_list("code", "pk", "is_active")}


class LiveToken(NamedTuple):
    """A token as its user is shown it."""

    id: int
    name: str
    scope: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime


_LIVE = f"""
    SELECT {", ".join(f"k.{name}" for name in LiveToken._fields)} FROM {TOKENS}
     WHERE k.user_id = %(user)s AND {HOLDS}
     ORDER BY k.id
"""


def tokens_live(user: AnyUser, *, now: datetime) -> list[LiveToken]:
    """The user's tokens that hold at `now`, oldest first."""
    return [LiveToken(*row) for row in prepared.rows(_LIVE, {"user": user.pk, "now": now})]


def tokens_held(now: datetime) -> int:
    """How many tokens would let a program in."""
    sql = f"SELECT count(*) FROM {TOKENS} WHERE {HOLDS} AND u.is_active"
    (found,) = prepared.rows(sql, {"now": now})[0]
    return int(found)
