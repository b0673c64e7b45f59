"""The accounts that a user may view, and their rights in each."""

from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from accounts.models import Account, Entitlement
from kernel import prepared

AnyUser = AbstractBaseUser | AnonymousUser


@dataclass(frozen=True)
class Rights:
    """A user's rights in one account that they may view."""

    account: Account
    can_book: bool
    can_correct: bool


_RIGHTS = """
    SELECT a.id, a.code, a.name, a.can_short, a.is_active,
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
    return [Rights(Account(*row[:5]), row[5], row[6]) for row in found]


def viewable_accounts(user: AnyUser, codes: list[str] | None = None) -> list[Account]:
    """The accounts that the user may view, by code; narrowed to `codes` when there are any."""
    return [r.account for r in account_rights(user, codes or None)]


def accounts_viewable_by(users: set[int]) -> dict[int, set[int]]:
    """Ids of the accounts that each of many users may view; empty for one who is inactive."""
    active = dict(
        get_user_model()
        .objects.filter(pk__in=users, is_active=True)
        .values_list("pk", "is_superuser")
    )
    viewable: dict[int, set[int]] = {user: set() for user in users}
    rows = Entitlement.objects.filter(user__in=list(active), can_view=True)
    for user, account in rows.values_list("user_id", "account_id"):
        viewable[user].add(account)
    if any(active.values()):
        everything = set(Account.objects.values_list("pk", flat=True))
        viewable.update({user: everything for user, is_root in active.items() if is_root})
    return viewable
