"""The accounts that a user may view, and their rights in each."""

from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from accounts.models import Account, Entitlement

AnyUser = AbstractBaseUser | AnonymousUser


@dataclass(frozen=True)
class Rights:
    """A user's rights in one account that they may view."""

    account: Account
    can_book: bool
    can_correct: bool


def account_rights(user: AnyUser) -> list[Rights]:
    """The accounts that the user may view, by code, with what else they may do there.

    A superuser may do everything everywhere; everyone else has what entitlements say.
    """
    if not user.is_active:
        return []
    if getattr(user, "is_superuser", False):
        return [Rights(a, True, True) for a in Account.objects.order_by("code")]
    found = (
        Entitlement.objects.filter(user_id=user.pk, can_view=True)
        .select_related("account")
        .order_by("account__code")
    )
    return [Rights(e.account, e.can_book, e.can_correct) for e in found]


def rights_in(user: AnyUser, code: str) -> Rights | None:
    """The user's rights in one account; None when it does not exist for them."""
    if not user.is_active:
        return None
    if getattr(user, "is_superuser", False):
        account = Account.objects.filter(code=code).first()
        return Rights(account, True, True) if account else None
    found = (
        Entitlement.objects.filter(user_id=user.pk, account__code=code, can_view=True)
        .select_related("account")
        .first()
    )
    return Rights(found.account, found.can_book, found.can_correct) if found else None


def viewable_accounts(user: AnyUser, codes: list[str] | None = None) -> list[Account]:
    """The accounts that the user may view, by code; narrowed to `codes` when there are any."""
    accounts = [r.account for r in account_rights(user)]
    if not codes:
        return accounts
    wanted = set(codes)
    return [a for a in accounts if a.code in wanted]


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
