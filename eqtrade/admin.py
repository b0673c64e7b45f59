"""Schedules in the admin: when a task runs, and whether. Which tasks there are, with which
arguments and on which queue, is said by migrations: else who may move a schedule could have any
task run with anything."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django_celery_beat.admin import PeriodicTaskAdmin
from django_celery_beat.models import PeriodicTask

from accounts.admin import IdentityAdmin, SecondFactorAdmin
from audit.recording import record
from kernel.admin import PagesByTable

WHEN = (
    "enabled", "interval", "crontab", "solar", "clocked", "start_time", "one_off",
)  # fmt: skip
WHAT = (
    "name", "task", "description", "args", "kwargs", "queue", "exchange", "routing_key", "priority",
    "headers", "expires", "expire_seconds", "last_run_at",
)  # fmt: skip
ACTIONS = ("enable_tasks", "disable_tasks", "toggle_tasks", "run_tasks")

admin.site.unregister([PeriodicTask, EmailAddress, SocialApp, SocialToken])
for model, pages in ((Authenticator, SecondFactorAdmin), (SocialAccount, IdentityAdmin)):
    admin.site.unregister(model)
    admin.site.register(model, pages)


class ScheduleForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = PeriodicTask
        fields = WHEN


@admin.register(PeriodicTask)
class ScheduleAdmin(PagesByTable, PeriodicTaskAdmin):  # type: ignore[misc]
    form = ScheduleForm
    readonly_fields = WHAT
    fieldsets = (("When, and whether", {"fields": WHEN}), ("What", {"fields": WHAT}))
    change_form_template = None

    def run_tasks(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for task in queryset:
            record("schedule.run", object_id=task.pk, about=task.name)
        super().run_tasks(request, queryset)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Who may only look is offered none of them, and can call none."""
        found: dict[str, Any] = super().get_actions(request)
        if self.has_change_permission(request):
            return found
        return {name: action for name, action in found.items() if name not in ACTIONS}
