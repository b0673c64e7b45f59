"""Guards and limits in the admin. What is saved goes through the service that REST uses."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest

from kernel.admin import TableAdmin
from trades.models import AccountGroup, Breach, Guard, Limit
from trades.services.guard_settings import LEVELS, Wanted, guard_problems, guards_put
from trades.services.limit_settings import LEVELS as LIMIT_LEVELS
from trades.services.limit_settings import WantedLimit, limit_problems, limits_put


class GuardForm(forms.ModelForm[Guard]):
    class Meta:
        model = Guard
        fields = ("account", "code", *LEVELS)
        help_texts = {
            "account": "Empty: all accounts. An account's own guard counts before that of all.",
            "warn": "Strictly more than this is asked about.",
            "refuse": "Strictly more than this is refused.",
            "minutes": "How far probable_duplicate looks back; empty means 5.",
            "is_active": "One that holds no more is switched off: none is deleted.",
        }

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors:
            for problem in guard_problems(self.wanted()):
                self.add_error(problem.attr, problem.detail)
        return given

    def wanted(self) -> Wanted:
        stood = {"account": self.instance.account, "code": self.instance.code}
        given = {**stood, **self.cleaned_data}
        account = given.pop("account")
        return Wanted(account=account and account.code, **given)


@admin.register(Guard)
class GuardAdmin(TableAdmin):
    form = GuardForm
    list_display = (
        "code", "of", "warn", "refuse", "minutes", "is_active", "version", "changed_by",
        "changed_at",
    )  # fmt: skip
    list_filter = ("is_active", "code", "account")
    list_select_related = ("account", "changed_by")
    ordering = ("code", "account__code")

    @admin.display(description="Account", ordering="account__code")
    def of(self, guard: Guard) -> str:
        return guard.account.code if guard.account else "all"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("account", "code") if obj else ()

    def save_model(self, request: HttpRequest, obj: Guard, form: Any, change: bool) -> None:
        (saved,) = guards_put(user=cast(User, request.user), wanted=[form.wanted()])
        obj.pk, obj.version = saved.pk, saved.version


class LimitForm(forms.ModelForm[Limit]):
    class Meta:
        model = Limit
        fields = ("account", "group", "kind", *LIMIT_LEVELS)
        help_texts = {
            "group": "Instead of an account: accounts that are looked at together.",
            "alert_at": "Warned of from so many percent of the amount on.",
            "mode": "Only position and day_notional of an account can refuse.",
        }

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors:
            for problem in limit_problems(self.wanted()):
                self.add_error(problem.attr, problem.detail)
        return given

    def wanted(self) -> WantedLimit:
        of = self.instance
        stood = {"account": of.account, "group": of.group, "kind": of.kind}
        given = {**stood, **self.cleaned_data}
        account, group = given.pop("account"), given.pop("group")
        return WantedLimit(account=account and account.code, group=group and group.name, **given)


@admin.register(Limit)
class LimitAdmin(TableAdmin):
    form = LimitForm
    list_display = (
        "kind", "account", "group", "amount", "alert_at", "mode", "is_active", "version",
        "changed_by", "changed_at",
    )  # fmt: skip
    list_filter = ("is_active", "kind", "account")
    list_select_related = ("account", "group", "changed_by")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("account", "group", "kind") if obj else ()

    def save_model(self, request: HttpRequest, obj: Limit, form: Any, change: bool) -> None:
        (saved,) = limits_put(user=cast(User, request.user), wanted=[form.wanted()])
        obj.pk, obj.version = saved.pk, saved.version


@admin.register(AccountGroup)
class AccountGroupAdmin(TableAdmin):
    list_display = ("name",)
    filter_horizontal = ("accounts",)


@admin.register(Breach)
class BreachAdmin(TableAdmin):
    list_display = ("limit", "state", "value", "worst", "amount", "opened_at", "closed_at")
    list_filter = ("state", ("closed_at", admin.EmptyFieldListFilter))
    list_select_related = ("limit__account", "limit__group")
