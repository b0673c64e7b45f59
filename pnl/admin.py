"""End-of-day P&L by row, its runs, and the restatements that wait. Only the system writes here."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.lists import ViewableAccounts, of_viewable
from kernel.admin import TableAdmin
from kernel.pnl import AMOUNTS
from pnl.models import DailyPnl, RestateRequest, SessionRun


@admin.register(DailyPnl)
class DailyPnlAdmin(TableAdmin):
    list_display = (
        "session", "account", "instrument", "opening_quantity", "closing_quantity",
        "previous_close", "mark", *AMOUNTS, "pnl_reason", "is_final",
        "calculated_at", "restated_at",
    )  # fmt: skip
    list_filter = (
        ("account", ViewableAccounts),
        "is_final",
        ("restated_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("account", "instrument")
    search_fields = ("instrument__ticker",)
    date_hierarchy = "session"
    ordering = ("-session", "account__code", "instrument__ticker")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[DailyPnl]:
        return of_viewable(super().get_queryset(request), request.user)


@admin.register(RestateRequest)
class RestateRequestAdmin(TableAdmin):
    """Requests that wait. They are deleted when done, so a healthy system shows none."""

    list_display = (
        "id", "reason", "account", "instrument", "first_session", "last_session", "requested_at",
    )  # fmt: skip
    list_filter = ("reason",)
    list_select_related = ("account", "instrument")

    def get_queryset(self, request: HttpRequest) -> QuerySet[RestateRequest]:
        return of_viewable(super().get_queryset(request), request.user, or_none=True)


@admin.register(SessionRun)
class SessionRunAdmin(TableAdmin):
    list_display = ("session", "shard", "started_at", "calculated_at")
    list_filter = (("calculated_at", admin.EmptyFieldListFilter),)
    ordering = ("-session", "shard")
