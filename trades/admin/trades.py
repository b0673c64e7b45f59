"""Correcting trades in the admin. Nothing here writes by itself: every change goes through the
services that REST uses, and a user sees and corrects what their entitlements say."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from typing import Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from accounts.models import Account
from accounts.selectors import account_rights, viewable_accounts
from audit.exports import exported
from kernel import clock
from kernel.admin import TableAdmin
from kernel.errors import ConfirmationRequired, DomainError, Invalid
from kernel.money import normalized
from prices.sessions import sessions
from trades.admin.forms import CancelForm, CorrectionForm, ReasonForm
from trades.admin.searching import HELP, LIVE, MAX_LISTED, Search, search_of, within
from trades.exports import MAX_EXCEL_ROWS, TooManyRows, csv_lines, excel_file
from trades.history import steps
from trades.models import Status, Trade
from trades.selectors import TradeRow, trade_rows, trades_visible, versions_visible
from trades.services.cancelling import Outcome, trades_cancel
from trades.services.correction import (
    StaleVersion,
    TradeAlreadyCancelled,
    correction_allowed,
    trade_amend,
    trade_cancel,
)
from trades.terms import AMENDABLE

EXPORT_CHUNK = 2000
PARAMS = ("account", "status", "traded")


class _Narrowing(admin.SimpleListFilter):
    """A filter that the search reads; it narrows nothing by itself."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Trade]) -> QuerySet[Trade]:
        return queryset


class AccountFilter(_Narrowing):
    title = "account"
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(a.code, a.code) for a in viewable_accounts(request.user)]


class StatusFilter(_Narrowing):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(LIVE, "Live"), *Status.choices]


class TradedFilter(_Narrowing):
    title = "trade date"
    parameter_name = "traded"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Business date"), ("5", "Last 5 sessions"), ("20", "Last 20 sessions")]


@admin.register(Trade)
class TradeAdmin(TableAdmin):
    list_display = (
        "booked", "account", "ticker", "side", "amount", "at_price", "traded", "state",
        "booked_by", "client_trade_id",
    )  # fmt: skip
    list_display_links = ("booked",)
    list_filter = (AccountFilter, StatusFilter, TradedFilter)
    # Any field: it makes the search box appear. What is searched is said in `searching`.
    search_fields = ("id",)
    search_help_text = HELP
    ordering = ("-id",)
    sortable_by = ()
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 200
    actions = ("cancel_selected",)
    change_list_template = "admin/trades/trade/change_list.html"

    def has_correct_permission(self, request: HttpRequest) -> bool:
        return any(r.can_correct or r.can_book for r in account_rights(request.user))

    # --- the list --------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Trade]:
        return trades_visible(a.pk for a in viewable_accounts(request.user))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Trade], search_term: str
    ) -> tuple[QuerySet[Trade], bool]:
        return _search(request, search_term).newest(), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        query = request.GET.urlencode()
        context = {
            "title": "Trades, newest booking first",
            "exports": [
                (label, f"{reverse(f'admin:trades_trade_export_{kind}')}?{query}")
                for label, kind in (("Export to CSV", "csv"), ("Export to Excel", "xlsx"))
            ],
            "max_listed": MAX_LISTED,
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    @admin.display(description="Booked (UTC)")
    def booked(self, trade: Trade) -> str:
        return f"{trade.booked_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="Ticker")
    def ticker(self, trade: Trade) -> str:
        return trade.instrument.ticker

    @admin.display(description="Quantity")
    def amount(self, trade: Trade) -> str:
        return format_html('<span class="number">{}</span>', normalized(trade.quantity))

    @admin.display(description="Trade date")
    def traded(self, trade: Trade) -> str:
        return trade.trade_date.isoformat()

    @admin.display(description="Status")
    def state(self, trade: Trade) -> str:
        return trade.status if trade.version == 1 else f"{trade.status}, version {trade.version}"

    @admin.display(description="Price")
    def at_price(self, trade: Trade) -> str:
        return format_html('<span class="number">{}</span>', normalized(trade.price))

    # --- one trade -------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"export/{kind}/",
                self.admin_site.admin_view(view),
                name=f"trades_trade_export_{kind}",
            )
            for kind, view in (("csv", self.export_csv), ("xlsx", self.export_excel))
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The trade, a form for new terms, one to cancel it, and all its versions."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        user, now = cast(User, request.user), clock.now()
        accounts = viewable_accounts(user)
        trade = self._seen(object_id, accounts)
        if trade is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]
        sent = request.POST if request.method == "POST" else None
        amend = CorrectionForm(
            sent if sent and "_amend" in sent else None, trade=trade, accounts=accounts
        )
        cancel = CancelForm(
            sent if sent and "_cancel" in sent else None, initial={"version": trade.version}
        )
        if sent is not None and self._corrected(request, user, trade, amend, cancel):
            return HttpResponseRedirect(request.get_full_path())
        live = trade.status != Status.CANCELLED
        allowed = correction_allowed(user=user, trade=trade, now=now)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{trade.side.title()} {normalized(trade.quantity)} {trade.instrument}",
            "subtitle": None,
            "trade": trade_rows([trade])[0],
            "amend": amend if live and allowed else None,
            "cancel": cancel if live and allowed else None,
            "allowed": allowed,
            "terms": AMENDABLE,
            "steps": list(reversed(steps(versions_visible(trade, [a.pk for a in accounts])))),
            "media": self.media + amend.media,
        }
        return TemplateResponse(request, "admin/trades/trade/correct.html", context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A trade's history is its versions."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:trades_trade_change", args=[object_id]))

    def _seen(self, object_id: str, accounts: list[Account]) -> Trade | None:
        try:
            trade_id = UUID(object_id)
        except ValueError:
            return None
        return trades_visible(a.pk for a in accounts).filter(pk=trade_id).first()

    def _corrected(
        self,
        request: HttpRequest,
        user: User,
        trade: Trade,
        amend: CorrectionForm,
        cancel: CancelForm,
    ) -> bool:
        """Do what was sent. False when the forms say what is wrong with it."""
        form = amend if amend.is_bound else cancel
        if not form.is_bound or not form.is_valid():
            return False
        given = {
            "user": user,
            "trade_id": trade.pk,
            "version": form.cleaned_data["version"],
            "reason": form.cleaned_data["reason"],
            "confirm": form.cleaned_data["confirm"] or None,
            "now": clock.now(),
        }
        try:
            if isinstance(form, CorrectionForm):
                done = trade_amend(**given, terms=form.terms())
            else:
                done = trade_cancel(**given)
        except (StaleVersion, TradeAlreadyCancelled) as error:
            messages.error(
                request, f"Nothing was changed. {error.detail} It is shown as it is now."
            )
            return True
        except ConfirmationRequired as asked:
            form.ask(asked)
            return False
        except Invalid as error:
            for each in error.errors:
                form.add_error(each.attr if each.attr in form.fields else None, each.detail)
            return False
        except DomainError as error:
            form.add_error(None, error.detail)
            return False
        self.log_change(request, done, f"Version {done.version}, {done.status}: {given['reason']}")
        messages.success(request, f"The trade is {done.status}: version {done.version}.")
        return True

    # --- many trades -----------------------------------------------------------------------------

    @admin.action(description="Cancel the selected trades…", permissions=["correct"])
    def cancel_selected(
        self, request: HttpRequest, queryset: QuerySet[Trade]
    ) -> HttpResponse | None:
        """Ask for the reason, then cancel each at the version that was shown, and tell of each."""
        confirmed = "confirm" in request.POST
        form = ReasonForm(request.POST if confirmed else None)
        trades = list(queryset[:MAX_LISTED])
        versions = {t.pk: t.version for t in trades}
        if confirmed:
            versions = _versions_read(request.POST.get("versions", ""))
            trades = list(self.get_queryset(request).filter(pk__in=versions))
        outcomes: dict[UUID, Outcome] = {}
        if confirmed and form.is_valid():
            reason, user = form.cleaned_data["reason"], cast(User, request.user)
            given = {t.pk: versions[t.pk] for t in trades}
            made = trades_cancel(
                user=user,
                versions=given,
                reason=reason,
                confirms=_tokens_read(request.POST.get("tokens", "")),
                now=clock.now(),
            )
            outcomes = {each.trade_id: each for each in made}
            cancelled = [t for t in trades if outcomes[t.pk].refused is None]
            LogEntry.objects.log_actions(user.pk, cancelled, CHANGE, f"Cancelled: {reason}")
            trades = list(self.get_queryset(request).filter(pk__in=outcomes))
            title = f"{len(cancelled)} of {len(trades)} trades are cancelled"
        else:
            title = f"Cancel {len(trades)} trades"
        asked = [each for each in outcomes.values() if each.confirm]
        to_do = [each.trade_id for each in asked] if outcomes else [t.pk for t in trades]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "form": form,
            "action": "cancel_selected",
            "versions": ",".join(f"{pk}:{versions[pk]}" for pk in to_do),
            "tokens": " ".join(f"{each.trade_id}={each.confirm}" for each in asked),
            "asked": len(asked),
            "rows": [(row, outcomes.get(row.id)) for row in trade_rows(trades)],
            "done": bool(outcomes),
            "here": request.get_full_path(),
            "media": self.media,
        }
        return TemplateResponse(request, "admin/trades/trade/cancel_selected.html", context)

    def export_csv(self, request: HttpRequest) -> HttpResponseBase:
        """All that fits the search and the filters, as it is read: any number of rows."""
        rows = _all_rows(self._whole_search(request))
        exported("trades", "csv", request)
        return StreamingHttpResponse(
            csv_lines(rows),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{_file_name()}.csv"'},
        )

    def export_excel(self, request: HttpRequest) -> HttpResponseBase:
        try:
            file = excel_file(_all_rows(self._whole_search(request)))
        except TooManyRows:
            messages.error(
                request,
                f"More than {MAX_EXCEL_ROWS:,} trades fit: narrow the search, or take the CSV,"
                " which has no limit.",
            )
            query = request.GET.urlencode()
            return HttpResponseRedirect(f"{reverse('admin:trades_trade_changelist')}?{query}")
        exported("trades", "xlsx", request)
        return FileResponse(
            file,
            as_attachment=True,
            filename=f"{_file_name()}.xlsx",
            content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        )

    def _whole_search(self, request: HttpRequest) -> Search:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return _search(request, request.GET.get("q", ""))


def _search(request: HttpRequest, text: str) -> Search:
    params = {name: request.GET[name] for name in PARAMS if name in request.GET}
    return search_of(params, text, viewable_accounts(request.user), _today())


def _all_rows(search: Search) -> Iterator[TradeRow]:
    """Every trade of the search, read piece by piece; no transaction is held meanwhile."""
    after: UUID | None = None
    while trades := within(search, after, EXPORT_CHUNK):
        yield from trade_rows(trades)
        after = trades[-1].pk


def _today() -> date:
    return sessions().business_date(clock.now())


def _file_name() -> str:
    return f"trades-{clock.now():%Y%m%d-%H%M%S}"


def _tokens_read(text: str) -> dict[UUID, str]:
    """What confirms which cancellation, as the page wrote it."""
    found: dict[UUID, str] = {}
    for each in text.split()[:MAX_LISTED]:
        trade_id, _, token = each.partition("=")
        with suppress(ValueError):
            found[UUID(trade_id)] = token
    return found


def _versions_read(text: str) -> dict[UUID, int]:
    """Ids and versions as the page wrote them; what is not of that form is passed over."""
    found: dict[UUID, int] = {}
    for each in text.split(",")[:MAX_LISTED]:
        trade_id, _, version = each.partition(":")
        if version.isascii() and version.isdigit() and len(version) < 10:
            with suppress(ValueError):
                found[UUID(trade_id)] = int(version)
    return found
