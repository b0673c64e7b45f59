"""Snapshots for people: when each was taken, what is in it, and what it would be now. And what has
not settled."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.lists import ViewableAccounts, of_viewable
from accounts.selectors import viewable_accounts
from kernel import clock
from kernel.admin import TableAdmin
from kernel.money import normalized
from positions.models import PositionSnapshot, Settling, SnapshotRun
from positions.settlement import overdue_days
from positions.snapshots.differences import Difference, snapshot_differences
from prices.sessions import sessions

MOST_SHOWN = 200
HEADINGS = (
    "Account", "Ticker", "Snapshot", "Now", "Snapshot's close", "Close now", "P&L effect",
    "What changed, by whom",
)  # fmt: skip


@admin.register(SnapshotRun)
class SnapshotRunAdmin(TableAdmin):
    list_display = ("session", "ends_at", "begun_at", "taken_at", "rows", "missing_closes")
    date_hierarchy = "session"

    fields = (*list_display, "differences")
    readonly_fields = fields

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> SnapshotRun | None:
        run: SnapshotRun | None = super().get_object(request, object_id, from_field)
        if run is not None:
            # The accounts shown depend on the user; this object is one request's.
            run.shown_accounts = [  # type: ignore[attr-defined]
                account.pk for account in viewable_accounts(request.user)
            ]
        return run

    @admin.display(description="Differences to what is known now")
    def differences(self, run: SnapshotRun) -> SafeString | str:
        if run.taken_at is None:
            return "The snapshot is not taken."
        found = snapshot_differences(run=run, accounts=run.shown_accounts)  # type: ignore[attr-defined]
        if not found:
            return "None: the positions of this session are still those of the snapshot."
        head = format_html_join("", "<th>{}</th>", ((h,) for h in HEADINGS))
        body = format_html_join("", "<tr>{}</tr>", ((_cells(d),) for d in found[:MOST_SHOWN]))
        more = "" if len(found) <= MOST_SHOWN else f"{len(found) - MOST_SHOWN} more over REST."
        return format_html(
            "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>{}", head, body, more
        )


def _cells(row: Difference) -> SafeString:
    numbers = (
        row.snapshot_quantity, row.quantity, row.snapshot_close, row.close, row.pnl_effect,
    )  # fmt: skip
    texts = [row.account, row.ticker, *("–" if n is None else normalized(n) for n in numbers)]
    changes = format_html_join(
        "",
        "<div>{} v{} {} by {}{}: {} dated {}</div>",
        (
            (
                c.trade, c.version, c.status, c.actor, f" ({c.reason})" if c.reason else "",
                normalized(c.quantity), c.trade_date,
            )
            for c in row.changes
        ),
    )  # fmt: skip
    return format_html(
        "{}<td>{}</td>",
        format_html_join("", "<td>{}</td>", ((text,) for text in texts)),
        changes or "the close",
    )


@admin.register(PositionSnapshot)
class PositionSnapshotAdmin(TableAdmin):
    list_display = ("session", "account", "instrument", "quantity", "close", "taken_at")
    list_filter = (("account", ViewableAccounts),)
    list_select_related = ("account", "instrument")
    search_fields = ("instrument__ticker",)
    date_hierarchy = "session"
    ordering = ("-session", "account__code", "instrument__ticker")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[PositionSnapshot]:
        return of_viewable(super().get_queryset(request), request.user)


class _Unsettled(ChangeList):
    """Tells of each row that is shown whether something of it is overdue."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        today = sessions().business_date(clock.now())
        keys = {(row.account_id, row.instrument_id) for row in self.result_list}
        late = overdue_days(keys, today)
        for row in self.result_list:
            row.is_overdue = (row.account_id, row.instrument_id, row.settlement_date) in late


@admin.register(Settling)
class UnsettledAdmin(TableAdmin):
    """What settles on a day to come; nothing is changed here."""

    list_display = (
        "settlement_date", "account", "instrument", "quantity", "amount", "currency", "overdue",
    )  # fmt: skip
    list_display_links = None
    list_filter = (("account", ViewableAccounts),)
    list_select_related = ("account", "instrument")
    search_fields = ("instrument__ticker",)
    date_hierarchy = "settlement_date"
    ordering = ("settlement_date", "account__code", "instrument__ticker")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Settling]:
        today = sessions().business_date(clock.now())
        unsettled = super().get_queryset(request).filter(settlement_date__gt=today)
        unsettled = unsettled.exclude(Q(quantity=0) & Q(amount=0))
        return of_viewable(unsettled, request.user)

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return _Unsettled

    @admin.display(ordering="instrument__currency")
    def currency(self, row: Settling) -> str:
        return row.instrument.currency

    @admin.display
    def overdue(self, row: Settling) -> SafeString | str:
        if not row.is_overdue:  # type: ignore[attr-defined]
            return ""
        return format_html('<strong class="overdue">{}</strong>', "overdue")
