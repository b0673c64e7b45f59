"""P&L as it is usually written: serializers over models and over aggregates."""

from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Q, Sum
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.designs.usual_reads import (
    FIELDS,
    Amount,
    AmountMethod,
    ThousandRows,
    accounts_asked,
)
from pnl.models import DailyPnl


class AccountPnlSerializer(serializers.Serializer[Any]):
    session = serializers.DateField()
    account = serializers.CharField(source="account__code")
    currency = serializers.ReadOnlyField(default="USD")
    trade_pnl = Amount(source="traded")
    position_pnl = Amount(source="held")
    action_pnl = Amount(source="acted")
    total_pnl = AmountMethod()
    fees = Amount(source="paid")
    net_pnl = AmountMethod()
    correction_pnl = AmountMethod()
    is_final = serializers.SerializerMethodField()
    pnl_valid = serializers.SerializerMethodField()
    pnl_reason = serializers.CharField(source="reason")
    invalid_rows = serializers.IntegerField(source="invalid")
    calculated_at = serializers.DateTimeField(source="calculated")
    restated_at = serializers.DateTimeField(source="restated")

    def get_total_pnl(self, row: dict[str, Any]) -> Decimal:
        total: Decimal = row["traded"] + row["held"] + row["acted"]
        return total

    def get_net_pnl(self, row: dict[str, Any]) -> Decimal:
        net: Decimal = self.get_total_pnl(row) - row["paid"]
        return net

    def get_correction_pnl(self, row: dict[str, Any]) -> Decimal:
        return Decimal(0)

    def get_is_final(self, row: dict[str, Any]) -> bool:
        return bool(row["final"] == row["rows"])

    def get_pnl_valid(self, row: dict[str, Any]) -> bool:
        return not row["invalid"]


class TickerPnlSerializer(serializers.ModelSerializer[DailyPnl]):
    serializer_field_mapping = FIELDS
    account = serializers.CharField(source="account.code")
    ticker = serializers.CharField(source="instrument.ticker")
    previous_close_as_traded = AmountMethod()
    actions = serializers.SerializerMethodField()
    currency = serializers.CharField(source="instrument.currency")
    total_pnl = AmountMethod()
    net_pnl = AmountMethod()
    correction_pnl = AmountMethod()
    pnl_valid = serializers.SerializerMethodField()
    invalid_rows = serializers.SerializerMethodField()

    class Meta:
        model = DailyPnl
        fields = [
            *("session", "account", "ticker", "opening_quantity", "closing_quantity"),
            *("previous_close", "previous_close_as_traded", "mark", "actions", "currency"),
            *("trade_pnl", "position_pnl", "action_pnl", "total_pnl", "fees", "net_pnl"),
            *("correction_pnl", "is_final", "pnl_valid", "pnl_reason", "invalid_rows"),
            *("calculated_at", "restated_at"),
        ]

    def get_total_pnl(self, row: DailyPnl) -> Decimal | None:
        if row.trade_pnl is None or row.position_pnl is None:
            return None
        total: Decimal = row.trade_pnl + row.position_pnl + row.action_pnl
        return total

    def get_previous_close_as_traded(self, row: DailyPnl) -> Decimal | None:
        # Null where no action is between them.
        found: Decimal | None = row.previous_close_as_traded
        return row.previous_close if found is None else found

    def get_actions(self, row: DailyPnl) -> list[Any]:
        return []

    def get_net_pnl(self, row: DailyPnl) -> Decimal | None:
        total = self.get_total_pnl(row)
        return None if total is None else total - row.fees

    def get_correction_pnl(self, row: DailyPnl) -> Decimal:
        return Decimal(0)

    def get_pnl_valid(self, row: DailyPnl) -> bool:
        return row.pnl_reason is None

    def get_invalid_rows(self, row: DailyPnl) -> int:
        return int(row.pnl_reason is not None)


class PnlView(APIView):
    renderer_classes = (JSONRenderer,)

    def get(self, request: Request) -> Response:
        days = request.query_params["from"], request.query_params["to"]
        found = DailyPnl.objects.filter(account__in=accounts_asked(request), session__range=days)
        rows: Any
        serializer: type[serializers.BaseSerializer[Any]]
        if request.query_params["by"] == "ticker":
            serializer = TickerPnlSerializer
            rows = found.select_related("account", "instrument").order_by(
                "session", "account__code", "instrument__ticker"
            )
        else:
            serializer = AccountPnlSerializer
            rows = (
                found.values("session", "account__code")
                .annotate(
                    traded=Sum("trade_pnl"),
                    held=Sum("position_pnl"),
                    acted=Sum("action_pnl"),
                    paid=Sum("fees"),
                    rows=Count("id"),
                    final=Count("id", filter=Q(is_final=True)),
                    reason=Max("pnl_reason"),
                    invalid=Count("pnl_reason"),
                    calculated=Max("calculated_at"),
                    restated=Max("restated_at"),
                )
                .order_by("session", "account__code")
            )
        pages = ThousandRows()
        page = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(serializer(page, many=True).data)
