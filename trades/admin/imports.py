"""Imports and request groups, to look at. What they booked is corrected trade by trade, or undone
as a whole over REST; nothing is changed here."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from kernel.admin import TableAdmin
from trades.models import Import, RequestGroup
from trades.selectors import groups_visible, imports_visible


@admin.register(Import)
class ImportAdmin(TableAdmin):
    """A user sees their own, a superuser all, as over REST."""

    list_display = (
        "accepted_at", "file_name", "user", "state", "dry_run", "rows_total", "rows_booked",
        "rows_rejected", "trades_cancelled",
    )  # fmt: skip
    list_filter = ("state", "dry_run")
    search_fields = ("file_name", "user__username")
    ordering = ("-id",)
    show_full_result_count = False
    readonly_fields = ("rejected_rows", "request_groups")
    fields = (
        "file_name", "user", "state", "error", "size", "columns", "group_size", "dry_run",
        "accepted_at", "started_at", "finished_at", "rows_total", "rows_done", "rows_booked",
        "rows_rejected", "rejected_rows", "request_groups", "line", "attempts", "lease_until",
        "undo_reason", "undone_by", "trades_cancelled",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Import]:
        return imports_visible(request.user)

    def rejected_rows(self, job: Import) -> str:
        if not job.rows_rejected:
            return "none"
        url = reverse("import-errors", args=[job.pk])
        return format_html('<a href="{}">as CSV, each with its reason</a>', url)

    def request_groups(self, job: Import) -> str:
        url = reverse("admin:trades_requestgroup_changelist")
        return format_html('<a href="{}?import_job__id__exact={}">what it booked</a>', url, job.pk)


@admin.register(RequestGroup)
class RequestGroupAdmin(TableAdmin):
    list_display = ("id", "created_at", "user", "trades", "import_job", "its_trades")
    list_select_related = ("user", "import_job")
    search_fields = ("id__exact", "user__username")
    ordering = ("-created_at", "id")
    show_full_result_count = False
    readonly_fields = ("its_trades",)
    fields = ("id", "created_at", "user", "trades", "import_job", "its_trades")

    def get_queryset(self, request: HttpRequest) -> QuerySet[RequestGroup]:
        return groups_visible(request.user)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup == "import_job__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description="trades of it")
    def its_trades(self, group: RequestGroup) -> str:
        url = reverse("admin:trades_trade_changelist")
        return format_html('<a href="{}?q={}">trades</a>', url, group.pk)
