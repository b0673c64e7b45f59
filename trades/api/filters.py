"""The filter of a list call, from its query."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from accounts.models import Counterparty, Named, Strategy
from accounts.selectors import codes_known
from kernel.api.queries import QuerySerializer
from kernel.api.serializers import DayField, TextField
from prices.models import Instrument
from trades.models import LONGEST_TAG, Status
from trades.pages import TradeFilter

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
    strategy = serializers.ListField(child=TextField(max_length=32), required=False)
    counterparty = serializers.ListField(child=TextField(max_length=32), required=False)
    tag = serializers.ListField(
        child=TextField(max_length=LONGEST_TAG), required=False, help_text="Any of them."
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `from` is a word of Python's own and cannot be a class attribute.
        return {
            **super().get_fields(),
            "from": DayField(required=False),
            "to": DayField(required=False),
        }


def filter_of(query: dict[str, Any], accounts: Sequence[int]) -> TradeFilter:
    """The filter of a validated query, within the accounts that the caller may view and named."""
    statuses: set[str] | None = None
    if "status" in query:
        statuses = set(query["status"])
        if LIVE in statuses:
            statuses = (statuses - {LIVE}) | {Status.BOOKED.value, Status.AMENDED.value}
    instruments = None
    if "ticker" in query:
        found = Instrument.objects.filter(ticker__in=query["ticker"])
        instruments = list(found.values_list("pk", flat=True))
    days = [query[name] for name in ("from", "trade_date") if name in query]
    last_days = [query[name] for name in ("to", "trade_date") if name in query]
    return TradeFilter(
        accounts=accounts,
        instruments=instruments,
        statuses=None if statuses is None else sorted(statuses),
        first=max(days, default=None),
        last=min(last_days, default=None),
        request_group=query.get("request_group"),
        strategies=_ids_of(Strategy, query.get("strategy")),
        counterparties=_ids_of(Counterparty, query.get("counterparty")),
        tags=query.get("tag"),
    )


def _ids_of(kind: type[Named], codes: list[str] | None) -> list[int] | None:
    return None if codes is None else [each.pk for each in codes_known(kind, codes).values()]
