"""Snapshots at the API's edge."""

from typing import Any

from rest_framework import serializers

from kernel.api.queries import QuerySerializer
from kernel.api.serializers import DayField, DecimalText, MomentField, TextField
from trades.models import Status


class SnapshotQuery(QuerySerializer):
    """Without a session: the latest one whose snapshot is taken."""

    session = DayField(required=False)
    account = serializers.ListField(child=TextField(max_length=32), required=False)


class SnapshotOut(serializers.Serializer[Any]):
    """A position at the session's end, as known then. `close` is that of the taking, null where
    there was none; positions of zero are absent."""

    session = DayField()
    account = serializers.CharField()
    ticker = serializers.CharField()
    quantity = DecimalText()
    close = DecimalText(allow_null=True)
    taken_at = MomentField()


class ChangeOut(serializers.Serializer[Any]):
    """A version of a trade that was recorded after the session's end, and what it changed."""

    trade = serializers.UUIDField()
    version = serializers.IntegerField()
    status = serializers.ChoiceField(choices=Status.choices)
    actor = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    recorded_at = MomentField()
    trade_date = DayField()
    quantity = DecimalText()
    pnl_effect = DecimalText(allow_null=True)


class DifferenceOut(serializers.Serializer[Any]):
    """A snapshot's row beside what that session's position is now. `pnl_effect` is what the
    changes of trades and of the close add to the P&L up to this session; null without a close."""

    session = DayField()
    account = serializers.CharField()
    ticker = serializers.CharField()
    snapshot_quantity = DecimalText()
    quantity = DecimalText()
    difference = DecimalText()
    snapshot_close = DecimalText(allow_null=True)
    close = DecimalText(allow_null=True)
    pnl_effect = DecimalText(allow_null=True)
    changes = ChangeOut(many=True)
