"""Accounts, entitlements and tokens in the admin."""

from django.contrib import admin
from django.http import HttpRequest

from accounts.models import AccessToken, Account, Entitlement


class EntitlementInline(admin.TabularInline[Entitlement, Account]):
    model = Entitlement
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Account)
class AccountAdmin(admin.ModelAdmin[Account]):
    list_display = ("code", "name", "can_short", "is_active")
    list_filter = ("is_active", "can_short")
    search_fields = ("code", "name")
    inlines = (EntitlementInline,)


@admin.register(Entitlement)
class EntitlementAdmin(admin.ModelAdmin[Entitlement]):
    list_display = ("user", "account", "can_view", "can_book", "can_correct")
    list_filter = ("account", "can_book", "can_correct")
    list_select_related = ("user", "account")
    search_fields = ("user__username", "account__code")
    autocomplete_fields = ("user", "account")


@admin.register(AccessToken)
class AccessTokenAdmin(admin.ModelAdmin[AccessToken]):
    """To see who has which, and to take them back. Nothing here tells a key."""

    list_display = ("user", "name", "scope", "created_at", "last_used_at", "expires_at")
    list_filter = ("scope",)
    list_select_related = ("user",)
    search_fields = ("user__username", "name")
    fields = list_display

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AccessToken | None = None) -> bool:
        return False
