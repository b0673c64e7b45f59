"""End-of-day P&L by row, its runs, and the restatements that wait. Only the system writes here."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.selectors import viewable_accounts
from kernel.admin import ReadOnlyAdmin
from pnl.models import DailyPnl, RestateRequest, SessionRun


@admin.register(DailyPnl)
class DailyPnlAdmin(ReadOnlyAdmin):
    list_display = (
        "session", "account", "instrument", "opening_quantity", "closing_quantity",
        "previous_close", "mark", "trade_pnl", "position_pnl", "pnl_reason", "is_final",
        "calculated_at", "restated_at",
    )  # fmt: skip
    list_filter = ("account", "is_final", ("restated_at", admin.EmptyFieldListFilter))
    list_select_related = ("account", "instrument")
    search_fields = ("instrument__ticker",)
    date_hierarchy = "session"
    ordering = ("-session", "account__code", "instrument__ticker")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[DailyPnl]:
        rows: QuerySet[DailyPnl] = super().get_queryset(request)
        return rows.filter(account__in=viewable_accounts(request.user))


@admin.register(RestateRequest)
class RestateRequestAdmin(ReadOnlyAdmin):
    """Requests that wait. They are deleted when done, so a healthy system shows none."""

    list_display = (
        "id", "reason", "account", "instrument", "first_session", "last_session", "requested_at",
    )  # fmt: skip
    list_filter = ("reason",)
    list_select_related = ("account", "instrument")


@admin.register(SessionRun)
class SessionRunAdmin(ReadOnlyAdmin):
    list_display = ("session", "shard", "started_at", "calculated_at")
    list_filter = (("calculated_at", admin.EmptyFieldListFilter),)
    ordering = ("-session", "shard")
