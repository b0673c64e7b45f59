"""The shapes of composed rows, for the schema, and the queries that ask for them."""

from typing import Any

from rest_framework import serializers

from kernel.api.queries import QuerySerializer
from kernel.api.serializers import DayField, DecimalText, MomentField, TextField
from kernel.pnl import SHOWN
from pnl.reasons import REASONS
from prices.models import ActionKind

MARK_SOURCES = ["override", "quote", "close", "carried", "previous_close"]


_Fields = dict[str, "serializers.Field[Any, Any, Any, Any]"]


def _with_figures(fields: _Fields, *, before: str) -> _Fields:
    """The fields of a row, with those of its figures in their place."""
    found: _Fields = {}
    for name, field in fields.items():
        if name == before:
            found.update({figure: DecimalText(allow_null=True) for figure in SHOWN})
        found[name] = field
    return found


class PositionQuery(QuerySerializer):
    account = serializers.ListField(child=TextField(max_length=32), required=False)
    ticker = serializers.ListField(child=TextField(max_length=16), required=False)
    as_of = DayField(required=False)
    known_at = MomentField(required=False)
    include_flat = serializers.BooleanField(required=False, default=False)
    by = serializers.ChoiceField(
        choices=["ticker", "strategy", "counterparty"],
        required=False,
        default="ticker",
        help_text="Rows by account and ticker, or told apart by strategy; by counterparty is not"
        " kept.",
    )


class ActingOut(serializers.Serializer[Any]):
    """A corporate action that acts on the row's session."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=ActionKind.values)
    ex_date = DayField()
    keep_new = DecimalText()
    keep_old = DecimalText()
    cash = DecimalText()


class PositionOut(serializers.Serializer[Any]):
    """A position with its P&L on the session. Figures that need a missing price are null."""

    account = serializers.CharField()
    strategy = serializers.CharField(
        required=False,
        allow_null=True,
        help_text="By strategy only, null for trades without one. Cost is the account's alone.",
    )
    ticker = serializers.CharField()
    session = DayField()
    currency = serializers.CharField()
    quantity = DecimalText()
    average_cost = DecimalText(allow_null=True)
    price = DecimalText(allow_null=True)
    price_as_of = MomentField(allow_null=True)
    mark_source = serializers.ChoiceField(choices=MARK_SOURCES, allow_null=True)
    price_source = serializers.CharField(allow_null=True)
    previous_close = DecimalText(
        allow_null=True, help_text="In the terms of the session, where an action changes them."
    )
    previous_close_as_traded = DecimalText(allow_null=True)
    market_value = DecimalText(allow_null=True)
    realized_pnl = DecimalText(allow_null=True)
    unrealized_pnl = DecimalText(allow_null=True)
    income = DecimalText(help_text="Dividends received since inception.")
    actions = ActingOut(many=True)
    pnl_valid = serializers.BooleanField()
    pnl_reason = serializers.ChoiceField(choices=REASONS, allow_null=True)
    updated_at = MomentField(allow_null=True)

    def get_fields(self) -> _Fields:
        return _with_figures(super().get_fields(), before="realized_pnl")


class PnlQuery(QuerySerializer):
    account = serializers.ListField(child=TextField(max_length=32), required=False)
    by = serializers.ChoiceField(
        choices=["account", "ticker", "strategy", "counterparty"],
        required=False,
        default="account",
        help_text="By counterparty is not kept.",
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `from` is a word of Python's own and cannot be a class attribute.
        return {
            **super().get_fields(),
            "from": DayField(required=False),
            "to": DayField(required=False),
        }


class PnlOut(serializers.Serializer[Any]):
    """P&L of a session. By account or strategy: without ticker, quantities and prices."""

    session = DayField()
    account = serializers.CharField()
    strategy = serializers.CharField(
        required=False,
        allow_null=True,
        help_text="By strategy only, null for trades without one.",
    )
    ticker = serializers.CharField(required=False)
    currency = serializers.CharField(help_text="Of all amounts of the row.")
    opening_quantity = DecimalText(required=False)
    closing_quantity = DecimalText(required=False)
    previous_close = DecimalText(allow_null=True, required=False)
    previous_close_as_traded = DecimalText(allow_null=True, required=False)
    mark = DecimalText(allow_null=True, required=False)
    actions = ActingOut(many=True, required=False)
    correction_pnl = DecimalText(allow_null=True)
    is_final = serializers.BooleanField()
    pnl_valid = serializers.BooleanField()
    pnl_reason = serializers.ChoiceField(choices=REASONS, allow_null=True)
    invalid_rows = serializers.IntegerField()
    calculated_at = MomentField()
    restated_at = MomentField(allow_null=True)

    def get_fields(self) -> _Fields:
        return _with_figures(super().get_fields(), before="correction_pnl")
