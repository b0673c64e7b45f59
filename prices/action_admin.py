"""Corporate actions in the admin: looked at with all their versions, confirmed, cancelled."""

from collections.abc import Callable
from typing import cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from kernel.admin import TableAdmin
from kernel.errors import DomainError
from kernel.money import normalized
from prices.actions.read import versions_of
from prices.actions.record import action_cancel, action_confirm
from prices.models import CorporateAction, CorporateActionVersion

HEADINGS = (
    "Version", "Kind", "Ex-date", "Shares after : before", "Cash", "Legs", "Fractions", "In lieu",
    "By", "Reason", "Decided",
)  # fmt: skip


class ReasonForm(ActionForm):
    reason = forms.CharField(required=False, max_length=200)


@admin.register(CorporateAction)
class CorporateActionAdmin(TableAdmin):
    """Proposed over REST and on the page; a version that counts is never edited."""

    list_display = (
        "instrument", "kind", "ex_date", "sequence", "status", "version", "confirmed_version",
    )  # fmt: skip
    list_filter = ("status", "kind")
    list_select_related = ("instrument",)
    search_fields = ("instrument__ticker",)
    date_hierarchy = "ex_date"
    actions = ("confirm", "cancel")
    action_form = ReasonForm
    fields = (*list_display, "all_versions")
    readonly_fields = fields

    def has_change_permission(
        self, request: HttpRequest, obj: CorporateAction | None = None
    ) -> bool:
        """Who may decide does so from the list; a single one is only shown."""
        return obj is None and super().has_change_permission(request, obj)

    @admin.display(description="Versions")
    def all_versions(self, action: CorporateAction) -> SafeString:
        head = format_html_join("", "<th>{}</th>", ((each,) for each in HEADINGS))
        body = format_html_join(
            "", "<tr>{}</tr>", ((_cells(version),) for version in versions_of(action))
        )
        return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", head, body)

    @admin.action(description="Confirm the latest version", permissions=["change"])
    def confirm(self, request: HttpRequest, queryset: QuerySet[CorporateAction]) -> None:
        _decide(request, queryset, action_confirm, "Confirmed.")

    @admin.action(description="Cancel, or withdraw the proposal", permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[CorporateAction]) -> None:
        _decide(request, queryset, action_cancel, "Cancelled.")


def _decide(
    request: HttpRequest,
    queryset: QuerySet[CorporateAction],
    decide: Callable[..., CorporateAction],
    said: str,
) -> None:
    """Each by itself: what is refused is told, and the others are decided."""
    reason = request.POST.get("reason", "")
    for action in queryset:
        try:
            decide(
                user=cast(User, request.user), action_id=action.pk, version=action.version,
                reason=reason,
            )  # fmt: skip
        except DomainError as error:
            messages.error(request, f"{action.instrument}: {error.detail}")
        else:
            messages.success(request, f"{action.instrument}: {said}")


def _cells(version: CorporateActionVersion) -> SafeString:
    legs = ", ".join(
        f"{normalized(leg.new)}:{normalized(leg.old)} {leg.instrument.ticker}"
        f" ({normalized(leg.cost_share)} of the cost)"
        for leg in version.legs.all()
    )
    in_lieu = ", ".join(
        f"{each.instrument.ticker} {normalized(each.price)}" for each in version.in_lieu.all()
    )
    decided = "; ".join(
        f"{each.decision} by {each.actor.username}: {each.reason}"
        for each in version.decisions.all()
    )
    texts = (
        version.version, version.kind, version.ex_date,
        f"{normalized(version.keep_new)} : {normalized(version.keep_old)}",
        normalized(version.cash), legs or "–", version.fractions, in_lieu or "–",
        version.actor.username, version.reason, decided or "–",
    )  # fmt: skip
    return format_html_join("", "<td>{}</td>", ((text,) for text in texts))
