"""The record in the admin: to search, to look at, and to take away as a file."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import URLPattern, path, reverse

from audit.exports import exported
from audit.models import Record, Refusal
from audit.selectors import COLUMNS, record_cells, records_found
from audit.tables import AUDITED
from kernel import clock
from kernel.admin import TableAdmin
from kernel.tables import csv_lines

OTHERS = ("login", "logout", "export", "token", "schedule.run")


class WhatFilter(admin.SimpleListFilter):
    title = "what"
    parameter_name = "what"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = sorted({*OTHERS, *(of.event for of in AUDITED.values())})
        return [(name, name.replace("_", " ")) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Record]) -> QuerySet[Record]:
        wanted = self.value()
        if not wanted:
            return queryset
        # A range that the index knows: the events of `user` are not those of `user_permission`.
        return queryset.filter(event=wanted) | queryset.filter(
            event__gte=f"{wanted}.", event__lt=f"{wanted}/"
        )


@admin.register(Record)
class RecordAdmin(TableAdmin):
    list_display = (
        "recorded", "event", "object_name", "changes", "actor_name", "address", "source",
    )  # fmt: skip
    list_filter = (WhatFilter,)
    search_fields = ("id",)
    search_help_text = (
        "Whole words: a user's name, an address, an event, a request's id, or the beginning of what"
        " it was done to."
    )
    date_hierarchy = "recorded_at"
    ordering = ("-recorded_at", "-id")
    sortable_by = ()
    show_full_result_count = False
    list_per_page = 50
    fields = (
        "recorded_at", "event", "object_name", "object_id", "before", "after", "actor_name",
        "actor", "address", "source", "request_id",
    )  # fmt: skip
    change_list_template = "admin/audit/record/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_csv)
        return [path("export/csv/", view, name="audit_record_export_csv"), *super().get_urls()]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Record], search_term: str
    ) -> tuple[QuerySet[Record], bool]:
        return records_found(queryset, search_term), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        query = request.GET.urlencode()
        export = f"{reverse('admin:audit_record_export_csv')}?{query}"
        context = {"title": "What was done, newest first", "export": export}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def export_csv(self, request: HttpRequest) -> StreamingHttpResponse:
        """All that fits the search and the filters, of any length."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_changelist_instance(request).get_queryset(request)
        exported("audit", "csv", request)
        name = f"audit-{clock.now():%Y%m%d-%H%M%S}.csv"
        return StreamingHttpResponse(
            csv_lines(COLUMNS, record_cells(rows)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    @admin.display(description="Recorded (UTC)")
    def recorded(self, row: Record) -> str:
        return f"{row.recorded_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="before → after")
    def changes(self, row: Record) -> str:
        if row.before is None or row.after is None:
            return ""
        return "; ".join(
            f"{name}: {row.before[name]} → {row.after.get(name)}" for name in sorted(row.before)
        )


@admin.register(Refusal)
class RefusalAdmin(TableAdmin):
    """Logins that a throttle refused."""

    list_display = ("minute", "door", "name", "address", "count")
    list_filter = ("door",)
    search_fields = ("name__exact",)
    date_hierarchy = "minute"
    show_full_result_count = False
