"""Trades at the API's edge."""

from typing import Any

from rest_framework import serializers

from kernel.api.serializers import (
    AmountField,
    DayField,
    DecimalText,
    MomentField,
    StrictSerializer,
    TextField,
)
from trades.models import Side, Status


class SideField(serializers.ChoiceField):
    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=type(data).__name__)
        if data not in Side.values:
            # The text itself may hold anything, surrogates included: it is not repeated.
            raise serializers.ValidationError("This must be buy or sell.", code="invalid_choice")
        return data


class BookingIn(StrictSerializer):
    """One booking. The trade date defaults to the New York date of `executed_at`, else to the
    business date; `client_trade_id` makes a retry safe."""

    account = TextField(max_length=32)
    ticker = TextField(max_length=16)
    side = SideField(choices=Side.choices)
    quantity = AmountField()
    price = AmountField()
    trade_date = DayField(required=False)
    executed_at = MomentField(required=False)
    client_trade_id = TextField(required=False, max_length=64)
    note = TextField(required=False, allow_blank=True, max_length=200)


class VersionField(serializers.IntegerField):
    """A whole number as JSON writes it; texts, booleans and fractions are none."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class CorrectionIn(StrictSerializer):
    """What every correction needs: the version that the caller saw, and why."""

    version = VersionField(min_value=1, max_value=2**31 - 1)
    reason = TextField(max_length=200)


class AmendmentIn(CorrectionIn):
    """The terms that change; those left out (or null) stay as they are."""

    account = TextField(required=False, max_length=32)
    ticker = TextField(required=False, max_length=16)
    side = SideField(required=False, choices=Side.choices)
    quantity = AmountField(required=False)
    price = AmountField(required=False)
    trade_date = DayField(required=False)
    note = TextField(required=False, allow_blank=True, max_length=200)


class TradeOut(serializers.Serializer[Any]):
    """A trade as it is now. `trade_pnl` is of the trade's own session."""

    id = serializers.UUIDField()
    account = serializers.CharField()
    ticker = serializers.CharField()
    side = serializers.ChoiceField(choices=Side.choices)
    quantity = DecimalText()
    price = DecimalText()
    trade_date = DayField()
    executed_at = MomentField()
    booked_at = MomentField()
    booked_by = serializers.CharField()
    version = serializers.IntegerField()
    status = serializers.ChoiceField(choices=Status.choices)
    request_group = serializers.UUIDField(allow_null=True)
    client_trade_id = serializers.CharField(allow_null=True)
    note = serializers.CharField(allow_blank=True)
    trade_pnl = DecimalText(allow_null=True)
    pnl_valid = serializers.BooleanField()


class TradeVersionOut(serializers.Serializer[Any]):
    """One state of a trade: its terms, who made it so, when and why."""

    version = serializers.IntegerField()
    status = serializers.ChoiceField(choices=Status.choices)
    account = serializers.CharField()
    ticker = serializers.CharField()
    side = serializers.ChoiceField(choices=Side.choices)
    quantity = DecimalText()
    price = DecimalText()
    trade_date = DayField()
    executed_at = MomentField()
    note = serializers.CharField(allow_blank=True)
    actor = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    recorded_at = MomentField()
