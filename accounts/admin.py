"""Accounts and entitlements in the admin."""

from django.contrib import admin

from accounts.models import Account, Entitlement


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
