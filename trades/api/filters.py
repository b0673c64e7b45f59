"""Which trades a list call asks for."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from kernel.api.queries import QuerySerializer
from kernel.api.serializers import DayField, TextField
from trades.models import Status, Trade

LIVE = "live"


class TradeQuery(QuerySerializer):
    """`live` means booked and amended. Dates are trade dates, inclusive."""

    account = serializers.ListField(child=TextField(max_length=32), required=False)
    ticker = serializers.ListField(child=TextField(max_length=16), required=False)
    trade_date = DayField(required=False)
    status = serializers.ListField(
        child=serializers.ChoiceField(choices=[*Status.values, LIVE]), required=False
    )
    request_group = serializers.UUIDField(required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `from` is a word of Python's own and cannot be a class attribute.
        return {
            **super().get_fields(),
            "from": DayField(required=False),
            "to": DayField(required=False),
        }


def trades_matching(trades: QuerySet[Trade], query: dict[str, Any]) -> QuerySet[Trade]:
    if tickers := query.get("ticker"):
        trades = trades.filter(instrument__ticker__in=tickers)
    if day := query.get("trade_date"):
        trades = trades.filter(trade_date=day)
    if first := query.get("from"):
        trades = trades.filter(trade_date__gte=first)
    if last := query.get("to"):
        trades = trades.filter(trade_date__lte=last)
    if statuses := query.get("status"):
        wanted = set(statuses)
        if LIVE in wanted:
            wanted = (wanted - {LIVE}) | {Status.BOOKED.value, Status.AMENDED.value}
        trades = trades.filter(status__in=sorted(wanted))
    if group := query.get("request_group"):
        trades = trades.filter(request_group=group)
    return trades
