"""The ledger in the admin, for people on duty. Services correct trades, never these pages."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.lists import ViewableAccounts, of_viewable
from kernel.admin import TableAdmin
from trades.models import Quarantine, Verification, VerificationBreak
from trades.services.mending import rebuild_request


@admin.register(Verification)
class VerificationAdmin(TableAdmin):
    list_display = ("started_at", "finished_at", "breaks")


@admin.register(VerificationBreak)
class VerificationBreakAdmin(TableAdmin):
    list_display = ("verification", "what", "key", "found", "expected", "consumer")
    list_filter = ("consumer", "what", ("account", ViewableAccounts))
    list_select_related = ("verification",)
    actions = ("rebuild",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[VerificationBreak]:
        return of_viewable(super().get_queryset(request), request.user, or_none=True)

    @admin.action(description="Rebuild these accounts from the ledger", permissions=["view"])
    def rebuild(self, request: HttpRequest, queryset: QuerySet[VerificationBreak]) -> None:
        asked = rebuild_request(queryset.select_related("account"))
        if asked:
            said = ", ".join(f"{account} by {consumer}" for consumer, account in asked)
            self.message_user(request, f"Being rebuilt: {said}.")
        else:
            self.message_user(
                request, "No rebuild mends these: the ledger itself differs.", messages.WARNING
            )


@admin.register(Quarantine)
class QuarantineAdmin(TableAdmin):
    list_display = ("consumer", "account", "entry_id", "since", "error")
    list_filter = ("consumer",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Quarantine]:
        return of_viewable(super().get_queryset(request), request.user)
