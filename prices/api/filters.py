"""Query parameters of the calls that read prices."""

from typing import Any

from rest_framework import serializers

from kernel.api.queries import QuerySerializer
from kernel.api.serializers import DayField, TextField


class InstrumentQuery(QuerySerializer):
    search = TextField(
        required=False,
        allow_blank=True,
        max_length=64,
        help_text="The beginning of a ticker, or a part of a name.",
    )


class PriceQuery(QuerySerializer):
    ticker = serializers.ListField(
        child=TextField(max_length=16), required=False, help_text="Repeatable."
    )


class CloseQuery(QuerySerializer):
    """`from` and `to` are inclusive; they default to the last 11 sessions up to the business
    date."""

    ticker = serializers.ListField(
        child=TextField(max_length=16), required=False, help_text="Repeatable."
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `from` is a word of Python's own and cannot be a class attribute.
        return {
            **super().get_fields(),
            "from": DayField(required=False),
            "to": DayField(required=False),
        }


class SeriesQuery(QuerySerializer):
    """`session` defaults to the business date."""

    ticker = TextField(max_length=16)
    session = DayField(required=False)
