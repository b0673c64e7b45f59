"""Snapshots at the API's edge."""

from typing import Any

from rest_framework import serializers

from kernel.api.queries import QuerySerializer
from kernel.api.serializers import DayField, DecimalText, MomentField, TextField


class SnapshotQuery(QuerySerializer):
    """Without a session: the latest one whose snapshot is taken."""

    session = DayField(required=False)
    account = serializers.ListField(child=TextField(max_length=32), required=False)


class SnapshotOut(serializers.Serializer[Any]):
    """What was held at the session's end, as known then. `close` is that of the taking, null where
    there was none; positions of zero are absent."""

    session = DayField()
    account = serializers.CharField()
    ticker = serializers.CharField()
    quantity = DecimalText()
    close = DecimalText(allow_null=True)
    taken_at = MomentField()
