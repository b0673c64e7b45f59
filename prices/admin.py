"""Prices and instruments in the admin. Everything that changes a price goes through a service."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminSplitDateTime
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest

from kernel import clock
from prices.models import Close, Instrument, PriceOverride, Quote, SessionOverride
from prices.services.overrides import override_end, override_problems, override_set


@admin.register(Instrument)
class InstrumentAdmin(admin.ModelAdmin[Instrument]):
    list_display = ("ticker", "name", "exchange", "yahoo_symbol", "is_active", "indices")
    list_filter = ("is_active", "exchange")
    search_fields = ("ticker", "name")


@admin.register(SessionOverride)
class SessionOverrideAdmin(admin.ModelAdmin[SessionOverride]):
    list_display = ("date", "is_closed", "early_close", "reason")


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Shows rows that only the system writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Close)
class CloseAdmin(ReadOnlyAdmin):
    list_display = ("instrument", "session", "source", "close", "recorded_at")
    list_filter = ("source",)
    list_select_related = ("instrument",)
    date_hierarchy = "session"
    search_fields = ("instrument__ticker",)
    ordering = ("-session", "instrument__ticker", "-id")
    show_full_result_count = False


@admin.register(Quote)
class QuoteAdmin(ReadOnlyAdmin):
    list_display = ("instrument", "source", "price", "as_of")
    list_filter = ("source",)
    list_select_related = ("instrument",)
    search_fields = ("instrument__ticker",)
    ordering = ("instrument__ticker", "source")


class PriceOverrideForm(forms.ModelForm[PriceOverride]):
    expires_at = forms.SplitDateTimeField(
        required=False,
        widget=AdminSplitDateTime,
        help_text="UTC. Left empty: the end of the business date.",
    )

    class Meta:
        model = PriceOverride
        fields = ("instrument", "price", "reason", "expires_at")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if not self.errors:
            problems = override_problems(
                price=given["price"],
                reason=given["reason"],
                expires_at=given["expires_at"],
                now=clock.now(),
            )
            for problem in problems:
                self.add_error(problem.attr, problem.detail)
        return given


@admin.register(PriceOverride)
class PriceOverrideAdmin(admin.ModelAdmin[PriceOverride]):
    """Set, looked at and ended; never edited or deleted, for it is a record."""

    list_display = (
        "instrument", "price", "reason", "user", "created_at", "expires_at", "ended_at", "ended_by",
    )  # fmt: skip
    list_select_related = ("instrument", "user", "ended_by")
    search_fields = ("instrument__ticker", "reason")
    autocomplete_fields = ("instrument",)
    form = PriceOverrideForm
    actions = ("end",)

    def get_fields(self, request: HttpRequest, obj: PriceOverride | None = None) -> tuple[str, ...]:
        to_set = ("instrument", "price", "reason", "expires_at")
        return to_set if obj is None else (*to_set, "user", "created_at", "ended_at", "ended_by")

    def has_change_permission(self, request: HttpRequest, obj: PriceOverride | None = None) -> bool:
        """Who may change overrides may end them, from the list; one by itself is only shown."""
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: PriceOverride, form: Any, change: bool) -> None:
        obj.pk = override_set(
            user=cast(User, request.user),
            ticker=obj.instrument.ticker,
            price=obj.price,
            reason=obj.reason,
            expires_at=form.cleaned_data["expires_at"],
            now=clock.now(),
        ).pk

    @admin.action(description="End the selected overrides now", permissions=["change"])
    def end(self, request: HttpRequest, queryset: QuerySet[PriceOverride]) -> None:
        for override in queryset:
            override_end(user=cast(User, request.user), override_id=override.pk, now=clock.now())
        messages.success(request, "Ended.")
