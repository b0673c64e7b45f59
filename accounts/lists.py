"""Lists in the admin that show only accounts that one may view: their rows, filters and choices."""

from typing import Any, TypeVar

from django.contrib.admin import RelatedFieldListFilter
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from accounts.models import Account
from accounts.selectors import AnyUser, viewable_accounts

Row = TypeVar("Row", bound=Model)


def viewable(user: AnyUser) -> QuerySet[Account]:
    """The accounts that the user may view, to choose from."""
    return Account.objects.filter(pk__in=[a.pk for a in viewable_accounts(user)])


def of_viewable(rows: QuerySet[Row], user: AnyUser, *, or_none: bool = False) -> QuerySet[Row]:
    """The rows of accounts that the user may view; `or_none`: and those of no account."""
    wanted = Q(account__in=[a.pk for a in viewable_accounts(user)])
    return rows.filter(wanted | Q(account__isnull=True) if or_none else wanted)


class ViewableAccounts(RelatedFieldListFilter):
    """The filter of a list by account."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: Any
    ) -> list[tuple[str, Any]]:
        return [(str(a.pk), a.code) for a in viewable_accounts(request.user)]
