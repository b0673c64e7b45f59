"""Fee schedules in the admin, each with what it would take of the last trades."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.selectors import viewable_accounts
from kernel.admin import TableAdmin, TableInline
from kernel.money import normalized
from trades.fee_rates import BOTH
from trades.models import AccountFeeSchedule, FeeSchedule, Trade

PREVIEWED = 20


class AccountFeeScheduleInline(TableInline):
    model = AccountFeeSchedule
    extra = 0
    verbose_name = "account that it is charged in"
    verbose_name_plural = "accounts that it is charged in, with all rates of its name"


@admin.register(FeeSchedule)
class FeeScheduleAdmin(TableAdmin):
    """A rate that holds no more is followed by a later one; none is deleted."""

    list_display = (
        "name", "kind", "side", "valid_from", "per_million", "per_share", "minimum", "maximum",
        "rounding",
    )  # fmt: skip
    list_filter = ("kind", "side")
    search_fields = ("name",)
    inlines = (AccountFeeScheduleInline,)
    readonly_fields = ("last_trades",)

    def get_form(self, request: HttpRequest, obj: Any = None, *args: Any, **kwargs: Any) -> Any:
        self._accounts = [account.pk for account in viewable_accounts(request.user)]
        return super().get_form(request, obj, *args, **kwargs)

    @admin.display(description=f"Of the last {PREVIEWED} trades it would take")
    def last_trades(self, schedule: FeeSchedule) -> SafeString:
        """What it comes to, whatever its day and its accounts: nothing of it is booked."""
        if schedule._state.adding:
            return format_html("{}", "Save it first.")
        rate = schedule.rate
        trades = (
            Trade.objects.filter(account__in=self._accounts)
            .select_related("account", "instrument")
            .order_by("-id")[:PREVIEWED]
        )
        rows = [
            (
                trade.trade_date.isoformat(), trade.account.code, trade.instrument.ticker,
                trade.side, normalized(trade.quantity), normalized(trade.price),
                normalized(rate.amount(trade.quantity, trade.price))
                if rate.side in (BOTH, trade.side)
                else "",
            )
            for trade in trades
        ]  # fmt: skip
        return format_html(
            "<table><tr><th>Trade date</th><th>Account</th><th>Ticker</th><th>Side</th>"
            "<th>Quantity</th><th>Price</th><th>Fee</th></tr>{}</table>",
            format_html_join(
                "",
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                rows,
            ),
        )
