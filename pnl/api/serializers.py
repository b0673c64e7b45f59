"""The intraday series at the API's edge."""

from typing import Any

from rest_framework import serializers

from kernel.api.queries import QuerySerializer
from kernel.api.serializers import DayField, DecimalText, MomentField, TextField


class IntradayQuery(QuerySerializer):
    """Without a session: the business date."""

    account = serializers.ListField(child=TextField(max_length=32), required=False)
    session = DayField(required=False)


class IntradayOut(serializers.Serializer[Any]):
    """An account's P&L as it was at that minute: the sums of what was known."""

    account = serializers.CharField()
    session = DayField()
    at = MomentField()
    currency = serializers.CharField()
    trade_pnl = DecimalText()
    position_pnl = DecimalText()
    action_pnl = DecimalText()
    total_pnl = DecimalText()
    pnl_valid = serializers.BooleanField()
