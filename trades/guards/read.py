"""Guards as people may see them, and what was asked and confirmed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from uuid import UUID

from django.contrib.auth.models import PermissionsMixin
from django.db.models import Exists, OuterRef, Q

from accounts.models import Account
from accounts.selectors import AnyUser, viewable_accounts
from trades.models import AskedVersion, Guard, Trade, TradeVersion

MANAGE = "trades.manage_guards"


def may_manage(user: AnyUser) -> bool:
    """Whether they may set guards and limits, and so see all of them."""
    return isinstance(user, PermissionsMixin) and user.has_perm(MANAGE)


def guards_seen(user: AnyUser, codes: list[str] | None = None) -> list[Guard]:
    """The guards of all accounts, and those of the accounts that the user may view; of every
    account for who may set them. Narrowed to the accounts of these codes. By code, then account,
    that of all first."""
    found = Guard.objects.select_related("account", "changed_by")
    of = Q(account=None)
    if codes is not None or not may_manage(user):
        of |= Q(account__in=[a.pk for a in viewable_accounts(user, codes)])
        found = found.filter(of)
    return sorted(found, key=lambda g: (g.code, g.account.code if g.account else ""))


@dataclass(frozen=True)
class Wanting:
    """Which of the versions that guards asked about: in these accounts, about one of these codes,
    of an import."""

    accounts: Sequence[int]
    codes: Sequence[str] | None = None
    import_id: UUID | None = None


Asked = tuple[AskedVersion, TradeVersion]


def asked_page(wanted: Wanting, limit: int, after: UUID | None, before: UUID | None) -> list[Asked]:
    """At most `limit` of them with their terms, newest first, from after an id on or up to before
    one. The account is the one that the version is in."""
    found = AskedVersion.objects.select_related("confirmed_by").filter(
        Exists(
            TradeVersion.objects.filter(
                trade=OuterRef("trade"),
                version=OuterRef("version"),
                account__in=list(wanted.accounts),
            )
        )
    )
    if wanted.codes:
        named = [Q(found__contains=[{"code": code}]) for code in wanted.codes]
        found = found.filter(reduce(or_, named))
    if wanted.import_id:
        found = found.filter(trade__request_group__import_job=wanted.import_id)
    if before is not None:
        rows = list(found.filter(pk__gt=before).order_by("pk")[:limit])[::-1]
    else:
        found = found if after is None else found.filter(pk__lt=after)
        rows = list(found.order_by("-pk")[:limit])
    terms = {
        (v.trade_id, v.version): v
        for v in TradeVersion.objects.filter(trade__in={r.trade_id for r in rows}).select_related(
            "account", "instrument"
        )
    }
    return [(row, terms[row.trade_id, row.version]) for row in rows]


def asked_of(trade: Trade) -> dict[int, AskedVersion]:
    """What guards said of a trade's versions, by version."""
    found = AskedVersion.objects.filter(trade=trade).select_related("confirmed_by")
    return {each.version: each for each in found}


def unguarded() -> list[str]:
    """The codes of active accounts in which no guard holds."""
    found = Account.objects.filter(is_active=True, guards_version=0)
    return list(found.order_by("code").values_list("code", flat=True))
