"""Instruments and prices at the API's edge."""

from typing import Any

from rest_framework import serializers

from kernel.api.serializers import (
    AmountField,
    ConfirmField,
    DayField,
    DecimalText,
    MomentField,
    OneOf,
    StrictSerializer,
    TextField,
)


class InstrumentOut(serializers.Serializer[Any]):
    ticker = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    exchange = serializers.CharField()
    currency = serializers.CharField()
    is_active = serializers.BooleanField()


class InstrumentIn(StrictSerializer):
    """A listed name. Yahoo's symbol is the ticker with `.` as `-`, unless it is given."""

    ticker = TextField(max_length=16)
    name = TextField(max_length=160, required=False)
    exchange = OneOf(
        choices=[
            ("XNYS", "NYSE"),
            ("XNAS", "Nasdaq"),
            ("ARCX", "NYSE Arca"),
            ("XASE", "NYSE American"),
            ("BATS", "Cboe BZX"),
        ],
        required=False,
    )
    yahoo_symbol = TextField(max_length=24, required=False)


class PriceOut(serializers.Serializer[Any]):
    """The mark of the business date. `price` is null when there is none; `stale` counts only while
    the exchange is open; `override` is true when a person set the price; `doubtful` while a newer
    price, or a close, is held back for a person to decide; `previous_close` is of the
    session before, what the day's change is measured from."""

    ticker = serializers.CharField()
    price = DecimalText(allow_null=True)
    as_of = MomentField(allow_null=True)
    age_seconds = serializers.IntegerField(allow_null=True)
    stale = serializers.BooleanField()
    # The base class has an attribute of this name; REST framework takes the field out of its way.
    source = serializers.CharField(allow_null=True)  # type: ignore[assignment]
    override = serializers.BooleanField()
    doubtful = serializers.BooleanField()
    previous_close = DecimalText(allow_null=True)


class CloseOut(serializers.Serializer[Any]):
    """The close that counts: by hand before the current source's, the last recorded of each."""

    ticker = serializers.CharField(source="instrument.ticker")
    session = DayField()
    close = DecimalText()
    source = serializers.CharField()  # type: ignore[assignment]


class PointOut(serializers.Serializer[Any]):
    at = MomentField()
    price = DecimalText()


class SeriesOut(serializers.Serializer[Any]):
    """At most one point a minute. `previous_close` is null when there is none."""

    ticker = serializers.CharField()
    session = DayField()
    previous_close = DecimalText(allow_null=True)
    points = PointOut(many=True)


class LineOut(serializers.Serializer[Any]):
    """As many minutes as prices, oldest first."""

    ticker = serializers.CharField()
    minutes = serializers.ListField(child=serializers.IntegerField())
    prices = serializers.ListField(child=DecimalText())


class LinesOut(serializers.Serializer[Any]):
    """Minutes count from `starts_at`, midnight in New York. Of each `every_seconds` there is the
    last price, at the minute that had it."""

    session = DayField()
    starts_at = MomentField()
    every_seconds = serializers.IntegerField()
    lines = LineOut(many=True)


class OverrideIn(StrictSerializer):
    """A price by hand. It expires at the end of the business date unless `expires_at` says when."""

    ticker = TextField(max_length=16)
    price = AmountField()
    reason = TextField(max_length=200)
    expires_at = MomentField(required=False)
    confirm = ConfirmField()


class NothingIn(StrictSerializer):
    """No fields."""


class OverrideOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    ticker = serializers.CharField(source="instrument.ticker")
    price = DecimalText()
    reason = serializers.CharField()
    user = serializers.CharField(source="user.username")
    created_at = MomentField()
    expires_at = MomentField()
    ended_at = MomentField(allow_null=True)
    ended_by = serializers.CharField(source="ended_by.username", default=None, allow_null=True)
