"""Accounts, entitlements, users and tokens in the admin."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import User
from django.db.models import ForeignKey, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest

from accounts.lists import ViewableAccounts, of_viewable, viewable
from accounts.models import AccessToken, Account, Counterparty, Entitlement, Named, Strategy
from audit.selectors import is_on_record
from kernel.admin import PagesByTable, TableAdmin, TableInline


class EntitlementInline(TableInline):
    model = Entitlement
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Account)
class AccountAdmin(TableAdmin):
    list_display = ("code", "name", "can_short", "is_active")
    list_filter = ("is_active", "can_short")
    search_fields = ("code", "name")
    inlines = (EntitlementInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        return viewable(request.user)


@admin.register(Strategy, Counterparty)
class NamedAdmin(TableAdmin):
    """Strategies and counterparties. The code stays; one that is used no more is switched off."""

    list_display = ("code", "name", "is_active")
    list_filter = ("is_active",)
    search_fields = ("code", "name")

    def get_readonly_fields(
        self, request: HttpRequest, obj: Named | None = None
    ) -> tuple[str, ...]:
        return ("code",) if obj is not None else ()


@admin.register(Entitlement)
class EntitlementAdmin(TableAdmin):
    """One that holds no more is switched off, all three, and stays."""

    list_display = ("user", "account", "can_view", "can_book", "can_correct")
    list_filter = (("account", ViewableAccounts), "can_book", "can_correct")
    list_select_related = ("user", "account")
    search_fields = ("user__username", "account__code")
    autocomplete_fields = ("user", "account")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entitlement]:
        return of_viewable(super().get_queryset(request), request.user)

    def formfield_for_foreignkey(
        self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        if db_field.name == "account":
            kwargs["queryset"] = viewable(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


admin.site.unregister(User)


@admin.register(User)
class UserAdmin(PagesByTable, DjangoUserAdmin[User]):
    """Who is no superuser makes nobody one, gives no rights away, and leaves superusers alone."""

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        fixed = tuple(super().get_readonly_fields(request, obj))
        if obj is not None and is_on_record(obj.pk):
            # What they did is told under the name that they did it with.
            fixed = (*fixed, "username")
        if request.user.is_superuser:
            return fixed
        return (*fixed, "is_superuser", "is_staff", "groups", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _within(request, obj)


def _within(request: HttpRequest, obj: User | None) -> bool:
    return request.user.is_superuser or obj is None or not obj.is_superuser


@admin.register(AccessToken)
class AccessTokenAdmin(TableAdmin):
    """To see who has which, and to take them back. Nothing here tells a key."""

    list_display = ("user", "name", "scope", "created_at", "last_used_at", "expires_at")
    list_filter = ("scope",)
    list_select_related = ("user",)
    search_fields = ("user__username", "name")
    fields = list_display


class SecondFactorAdmin(TableAdmin):
    """To take them from who lost theirs: all of that user's, so that they set up new ones."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("user__username",)
    fields = list_display

    def delete_model(self, request: HttpRequest, obj: Authenticator) -> None:
        Authenticator.objects.filter(user=obj.user_id).delete()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Authenticator]) -> None:
        users = list(queryset.values_list("user", flat=True))
        Authenticator.objects.filter(user__in=users).delete()


class IdentityAdmin(TableAdmin):
    """Who logs in by the provider as whom. One that is deleted is made anew by the next login of
    whom the provider then names so."""

    list_display = ("user", "provider", "uid", "date_joined", "last_login")
    list_select_related = ("user",)
    search_fields = ("user__username", "uid")
    fields = list_display
