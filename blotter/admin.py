"""P&L by account and day for middle office: final or provisional, restated; as files, too."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from accounts.models import Account
from accounts.selectors import viewable_accounts
from audit.exports import exported
from blotter.models import PnlDay
from blotter.pnl_tables import COLUMNS, FIGURES, state_of, table_rows
from blotter.rows import Today, days_with_pnl, pnl_rows, today_at
from kernel import clock
from kernel.admin import TableAdmin
from kernel.api.rows import Row
from kernel.tables import MAX_EXCEL_ROWS, TooManyRows, csv_lines, excel_file
from prices.sessions import sessions

# Without dates the page shows so many sessions.
SESSIONS_SHOWN = 10
MOST_SHOWN = 2000
BY = (("account", "Account"), ("ticker", "Account and ticker"))


class PnlForm(forms.Form):
    account = forms.MultipleChoiceField(
        required=False, label="Accounts (none: all)", widget=forms.SelectMultiple({"size": 4})
    )
    first = forms.DateField(required=False, widget=forms.DateInput({"type": "date"}), label="From")
    last = forms.DateField(required=False, widget=forms.DateInput({"type": "date"}), label="To")
    by = forms.ChoiceField(choices=BY, required=False)

    def __init__(self, *args: Any, accounts: list[Account], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(a.code, f"{a.code} {a.name}".strip()) for a in accounts]
        self.fields["account"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        first, last = given.get("first"), given.get("last")
        if first and last and last < first:
            self.add_error("last", "This is before the first day.")
        return given


@dataclass(frozen=True)
class Asked:
    """A valid form's request."""

    accounts: dict[int, str]
    days: list[date]
    by: str
    today: Today

    @property
    def which(self) -> dict[str, Any]:
        return {
            "accounts": self.accounts, "days": self.days, "by": self.by, "today": self.today,
        }  # fmt: skip

    @property
    def name(self) -> str:
        """A file's name, without its ending."""
        if not self.days:
            return "pnl"
        return f"pnl_{self.by}_{self.days[0]}_{self.days[-1]}"


def _asked(form: PnlForm, accounts: list[Account]) -> Asked:
    """The form's request; one for nothing when it is not valid."""
    today = today_at(clock.now())
    if not form.is_valid():
        return Asked({}, [], "account", today)
    given = form.cleaned_data
    last = min(given["last"] or today.business_date, today.business_date)
    first = given["first"]
    if first is None:
        first = (sessions().sessions_between(date.min, last)[-SESSIONS_SHOWN:] or [last])[0]
    codes = set(given["account"])
    wanted = {a.pk: a.code for a in accounts if not codes or a.code in codes}
    days = days_with_pnl(wanted, first, last, today)
    return Asked(wanted, days, given["by"] or "account", today)


@admin.register(PnlDay)
class PnlDayAdmin(TableAdmin):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("csv/", view(self.csv_view), name="blotter_pnlday_csv"),
            path("excel/", view(self.excel_view), name="blotter_pnlday_excel"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        form, asked = self._read(request)
        rows = pnl_rows(**asked.which) if asked.days else []
        newest = sorted(rows, key=lambda row: row["session"], reverse=True)
        return TemplateResponse(
            request,
            "admin/blotter/pnl_days.html",
            {
                **self.admin_site.each_context(request),
                "title": "P&L by account and day",
                "opts": self.model._meta,
                "form": form,
                "by": asked.by,
                "figures": FIGURES.values(),
                "rows": [_shown(row, asked.today) for row in newest[:MOST_SHOWN]],
                "left_out": max(0, len(rows) - MOST_SHOWN),
                "price_source": asked.today.price_source,
                "known_at": asked.today.now,
                "query": request.GET.urlencode(),
                "max_excel": MAX_EXCEL_ROWS,
            },
        )

    def csv_view(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        form, asked = self._read(request)
        if not form.is_valid():
            return _refused(form)
        exported("pnl", "csv", request)
        lines = csv_lines(COLUMNS[asked.by], table_rows(**asked.which))
        response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{asked.name}.csv"'
        return response

    def excel_view(self, request: HttpRequest) -> HttpResponse | FileResponse:
        form, asked = self._read(request)
        if not form.is_valid():
            return _refused(form)
        try:
            file = excel_file(
                "P&L", COLUMNS[asked.by], table_rows(**asked.which), most=MAX_EXCEL_ROWS
            )
        except TooManyRows:
            said = f"These are more than {MAX_EXCEL_ROWS:,} rows: choose fewer, or take the CSV."
            return HttpResponse(said, status=400, content_type="text/plain")
        exported("pnl", "xlsx", request)
        return FileResponse(file, as_attachment=True, filename=f"{asked.name}.xlsx")

    def _read(self, request: HttpRequest) -> tuple[PnlForm, Asked]:
        if not self.has_view_permission(request):
            raise PermissionDenied
        accounts = viewable_accounts(request.user)
        form = PnlForm(request.GET, accounts=accounts)
        return form, _asked(form, accounts)


def _refused(form: PnlForm) -> HttpResponse:
    said = "; ".join(f"{name}: {' '.join(map(str, e))}" for name, e in form.errors.items())
    return HttpResponse(said, status=400, content_type="text/plain")


def _shown(row: Row, today: Today) -> Row:
    """A row as the page shows it: `cells` are its figures in cents, half up; an unknown one is a
    dash."""
    cents = {name: _cents(row[name]) for name in FIGURES}
    restated = row["restated_at"] and row["restated_at"][:16].replace("T", " ") + " UTC"
    return {
        **row,
        **cents,
        "cells": list(cents.values()),
        "state": state_of(row, today),
        "restated_at": restated,
    }


def _cents(value: str | None) -> str:
    if value is None:
        return "–"
    return f"{Decimal(value).quantize(Decimal('0.01'), rounding=ROUND_HALF_UP):,}"
