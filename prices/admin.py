"""Prices and instruments in the admin. Everything that changes a price goes through a service."""

from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.admin.widgets import AdminSplitDateTime
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from kernel import clock
from kernel.admin import ConfirmedAdmin, ConfirmedForm, TableAdmin
from kernel.errors import DomainError
from prices.action_admin import CorporateActionAdmin
from prices.closes.write import close_enter, close_problems, close_question
from prices.doubts.decide import doubts_decide
from prices.models import (
    Close,
    CloseDoubt,
    CloseRun,
    Instrument,
    InstrumentAlias,
    PriceOverride,
    Quote,
    SessionOverride,
    SettlementOverride,
    SourceFailure,
    SourceState,
)
from prices.notify import hours_written
from prices.services.instruments import yahoo_symbol_of
from prices.services.overrides import (
    override_end,
    override_problems,
    override_question,
    override_set,
)

__all__ = ["CorporateActionAdmin"]


class InstrumentForm(forms.ModelForm[Instrument]):
    class Meta:
        model = Instrument
        fields = (
            "ticker", "name", "exchange", "currency", "yahoo_symbol", "is_active",
            "inactive_since", "indices",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "yahoo_symbol" in self.fields:
            self.fields["yahoo_symbol"].required = False
            self.fields["yahoo_symbol"].help_text = "Left empty: the ticker, as Yahoo writes it."

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if "ticker" in given and not given.get("yahoo_symbol"):
            given["yahoo_symbol"] = yahoo_symbol_of(given["ticker"])
        return given


@admin.register(Instrument)
class InstrumentAdmin(TableAdmin):
    form = InstrumentForm
    list_display = ("ticker", "name", "exchange", "yahoo_symbol", "is_active", "indices")
    list_filter = ("is_active", "exchange")
    search_fields = ("ticker", "name")


@admin.register(InstrumentAlias)
class InstrumentAliasAdmin(TableAdmin):
    """`rename_instrument` keeps them; what was renamed before is entered here."""

    list_display = ("ticker", "instrument", "first", "last")
    list_select_related = ("instrument",)
    search_fields = ("ticker", "instrument__ticker")
    autocomplete_fields = ("instrument",)


@admin.register(SessionOverride)
class SessionOverrideAdmin(TableAdmin):
    list_display = ("date", "is_closed", "early_close", "reason")

    def save_model(
        self, request: HttpRequest, obj: SessionOverride, form: forms.ModelForm[Any], change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        hours_written([obj.date, form.initial.get("date", obj.date)])

    def delete_model(self, request: HttpRequest, obj: SessionOverride) -> None:
        super().delete_model(request, obj)
        hours_written([obj.date])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[SessionOverride]) -> None:
        days = list(queryset.values_list("date", flat=True))
        super().delete_queryset(request, queryset)
        hours_written(days)


@admin.register(SettlementOverride)
class SettlementOverrideAdmin(TableAdmin):
    list_display = ("date", "settles", "reason")


class CloseForm(ConfirmedForm[Close]):
    class Meta:
        model = Close
        fields = ("instrument", "session", "close", "reason")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if not self.errors:
            problems = close_problems(
                session=given["session"],
                close=given["close"],
                reason=given["reason"],
                now=clock.now(),
            )
            for problem in problems:
                self.add_error(problem.attr, problem.detail)
        if not self.errors:
            asked = close_question(
                user=self.user,
                instrument=given["instrument"],
                session=given["session"],
                close=given["close"],
                reason=given["reason"],
            )
            self.ask(asked)
        return given


@admin.register(Close)
class CloseAdmin(ConfirmedAdmin):
    """Looked at, and entered by hand: a correction is a further row. Nothing is edited."""

    list_display = (
        "instrument", "session", "source", "close", "recorded_at", "user", "reason", "correct",
    )  # fmt: skip
    list_filter = ("source",)
    list_select_related = ("instrument", "user")
    autocomplete_fields = ("instrument",)
    form = CloseForm

    def get_fields(self, request: HttpRequest, obj: Close | None = None) -> tuple[str, ...]:
        to_enter = ("instrument", "session", "close", "reason")
        if obj is None:
            return (*to_enter, "confirm")
        return (*to_enter, "source", "carried_for", "user", "recorded_at")

    @admin.display(description="")
    def correct(self, close: Close) -> str:
        given = {"instrument": close.instrument_id, "session": close.session, "close": close.close}
        return format_html('<a href="add/?{}">Correct</a>', urlencode(given))

    def save_model(self, request: HttpRequest, obj: Close, form: Any, change: bool) -> None:
        obj.pk = close_enter(
            user=cast(User, request.user),
            ticker=obj.instrument.ticker,
            session=obj.session,
            close=obj.close,
            reason=obj.reason,
            confirm=form.cleaned_data["confirm"],
            now=clock.now(),
        ).pk

    date_hierarchy = "session"
    search_fields = ("instrument__ticker",)
    ordering = ("-session", "instrument__ticker", "-id")
    show_full_result_count = False


class DecisionForm(ActionForm):
    reason = forms.CharField(max_length=200, required=False, label="Reason:")


@admin.register(CloseDoubt)
class CloseDoubtAdmin(TableAdmin):
    """Looked at, and decided from the list, any number at once; a single one is only shown."""

    list_display = (
        "instrument", "session", "what", "price", "compared_with", "state", "source", "raised_at",
        "decided_by", "reason",
    )  # fmt: skip
    list_filter = ("state", "kind", "source")
    list_select_related = ("instrument", "decided_by")
    search_fields = ("instrument__ticker",)
    date_hierarchy = "session"
    action_form = DecisionForm
    actions = ("release", "refuse")

    @admin.display(description="kind", ordering="kind")
    def what(self, doubt: CloseDoubt) -> str:
        return doubt.kind

    def has_change_permission(self, request: HttpRequest, obj: CloseDoubt | None = None) -> bool:
        return obj is None and super().has_change_permission(request, obj)

    @admin.action(description="Release the selected: they count", permissions=["change"])
    def release(self, request: HttpRequest, queryset: QuerySet[CloseDoubt]) -> None:
        self._decide(request, queryset, release=True)

    @admin.action(description="Refuse the selected: they never count", permissions=["change"])
    def refuse(self, request: HttpRequest, queryset: QuerySet[CloseDoubt]) -> None:
        self._decide(request, queryset, release=False)

    def _decide(
        self, request: HttpRequest, queryset: QuerySet[CloseDoubt], *, release: bool
    ) -> None:
        try:
            decided = doubts_decide(
                user=cast(User, request.user),
                ids=list(queryset.values_list("pk", flat=True)),
                release=release,
                reason=request.POST.get("reason", ""),
                now=clock.now(),
            )
        except DomainError as refusal:
            messages.error(request, refusal.detail)
        else:
            done = "released" if release else "refused"
            messages.success(request, f"{len(decided)} {done}.")


@admin.register(CloseRun)
class CloseRunAdmin(TableAdmin):
    list_display = (
        "session", "source", "state", "attempts", "expected", "missing", "last_attempt_at",
        "next_attempt_at", "settled_at", "last_error",
    )  # fmt: skip
    list_filter = ("state", "source")
    date_hierarchy = "session"


@admin.register(SourceState)
class SourceStateAdmin(TableAdmin):
    list_display = (
        "source", "last_success_at", "fetch_seconds", "failures_in_a_row", "retry_at",
        "last_failure_kind", "last_failure_at", "last_failure",
    )  # fmt: skip


@admin.register(SourceFailure)
class SourceFailureAdmin(TableAdmin):
    list_display = ("source", "kind", "count")


@admin.register(Quote)
class QuoteAdmin(TableAdmin):
    list_display = ("instrument", "source", "price", "as_of")
    list_filter = ("source",)
    list_select_related = ("instrument",)
    search_fields = ("instrument__ticker",)
    ordering = ("instrument__ticker", "source")


class PriceOverrideForm(ConfirmedForm[PriceOverride]):
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
        if not self.errors:
            asked = override_question(
                user=self.user,
                instrument=given["instrument"],
                price=given["price"],
                reason=given["reason"],
                expires_at=given["expires_at"],
                now=clock.now(),
            )
            self.ask(asked)
        return given


@admin.register(PriceOverride)
class PriceOverrideAdmin(ConfirmedAdmin):
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
        if obj is None:
            return (*to_set, "confirm")
        return (*to_set, "user", "created_at", "ended_at", "ended_by")

    def has_change_permission(self, request: HttpRequest, obj: PriceOverride | None = None) -> bool:
        """Who may set overrides may end them from the list; a single one is only shown."""
        return obj is None and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: PriceOverride, form: Any, change: bool) -> None:
        obj.pk = override_set(
            user=cast(User, request.user),
            ticker=obj.instrument.ticker,
            price=obj.price,
            reason=obj.reason,
            expires_at=form.cleaned_data["expires_at"],
            confirm=form.cleaned_data["confirm"],
            now=clock.now(),
        ).pk

    @admin.action(description="End the selected overrides now", permissions=["change"])
    def end(self, request: HttpRequest, queryset: QuerySet[PriceOverride]) -> None:
        for override in queryset:
            override_end(user=cast(User, request.user), override_id=override.pk, now=clock.now())
        messages.success(request, "Ended.")
