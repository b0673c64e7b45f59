"""Trades at the API's edge."""

from functools import partial
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from kernel.api.serializers import (
    ConfirmField,
    DayField,
    DecimalText,
    FlagField,
    MomentField,
    OneOf,
    StrictSerializer,
    TextField,
    WholeNumber,
)
from trades.bookings import FeesRefused, fees_of
from trades.fee_kinds import FEE_KINDS, SOURCES
from trades.fields import amount_field
from trades.guard_rules import CODES
from trades.models import Side, Status
from trades.selectors import ANSWERED
from trades.terms import AMENDABLE, PRICE_ZERO, REASON_LONGEST, SAID, TERMS, VERSIONED, Kind, Term


class FeeIn(serializers.Serializer[Any]):
    """One fee, in US dollars: paid > 0, a rebate < 0; at most 6 decimals."""

    kind = serializers.ChoiceField(choices=FEE_KINDS)
    amount = DecimalText()


@extend_schema_field(FeeIn(many=True))
class FeesField(serializers.Field[Any, Any, Any, Any]):
    """The fees of a trade, at most one of a kind."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return fees_of(data)
        except FeesRefused as refusal:
            raise serializers.ValidationError(refusal.detail, code=refusal.code) from refusal


def _field(
    term: Term, *, required: bool, clears: bool = False
) -> "serializers.Field[Any, Any, Any, Any]":
    """The API's field of a term. With `clears` an empty text takes away what may be null."""
    if term.kind is Kind.TEXT:
        blank = term.may_be_blank or (clears and term.may_be_null)
        return TextField(required=required, max_length=term.longest, allow_blank=blank)
    if term.kind is Kind.SIDE:
        return OneOf(choices=Side.choices, required=required)
    if term.kind is Kind.AMOUNT:
        return amount_field(term, required=required)
    kinds: dict[Kind, Any] = {
        Kind.DAY: DayField,
        Kind.MOMENT: MomentField,
        Kind.FLAG: FlagField,
        Kind.FEES: FeesField,
    }
    field: serializers.Field[Any, Any, Any, Any] = kinds[term.kind](required=required)
    return field


class BookingIn(StrictSerializer):
    """One booking. The trade date defaults to the New York date of `executed_at`, else to the
    business date; `client_trade_id` makes a retry safe. A price of 0, of free or worthless shares,
    needs `price_zero` and a note."""

    # It declares the fields for the schema; what is sent is read by `trades.bookings.booking_of`.

    confirm = ConfirmField()

    def get_fields(self) -> "dict[str, serializers.Field[Any, Any, Any, Any]]":
        terms = {term.name: _field(term, required=term.required) for term in SAID}
        return {**terms, **super().get_fields()}


class CorrectionIn(StrictSerializer):
    """The fields of every correction: the version that the caller saw, and why; `confirm` where it
    was asked about."""

    version = WholeNumber(min_value=1, max_value=2**31 - 1)
    reason = TextField(max_length=REASON_LONGEST)
    confirm = ConfirmField()


class AmendmentIn(CorrectionIn):
    """The terms that change; those left out (or null) stay as they are. `fees` are all that the
    trade then has; an empty strategy, counterparty or order_id takes it away."""

    def get_fields(self) -> "dict[str, serializers.Field[Any, Any, Any, Any]]":
        fields = super().get_fields()
        terms = (*AMENDABLE, PRICE_ZERO)
        fields.update({term.name: _field(term, required=False, clears=True) for term in terms})
        return fields


class FeeOut(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=FEE_KINDS)
    amount = DecimalText()


class SourcedFeeOut(FeeOut):
    """`source`: a caller entered it, a schedule computed it at booking, or a file brought it."""

    def get_fields(self) -> "dict[str, serializers.Field[Any, Any, Any, Any]]":
        # `source` is an attribute of every serializer and cannot be one of the class.
        return {**super().get_fields(), "source": serializers.ChoiceField(choices=SOURCES)}


def _answer(term: Term) -> "serializers.Field[Any, Any, Any, Any]":
    """A term in an answer."""
    if term.kind is Kind.SIDE:
        return serializers.ChoiceField(choices=Side.choices)
    if term.kind is Kind.TEXT:
        return serializers.CharField(allow_blank=term.may_be_blank, allow_null=term.may_be_null)
    kinds: dict[Kind, Any] = {
        Kind.AMOUNT: DecimalText,
        Kind.DAY: DayField,
        Kind.MOMENT: MomentField,
        Kind.FEES: partial(FeeOut, many=True),
    }
    field: serializers.Field[Any, Any, Any, Any] = kinds[term.kind]()
    return field


class TradeOut(serializers.Serializer[Any]):
    """A trade as it is now. `trade_pnl` is of the trade's own session, gross. Where
    `executed_at_known` is false, only the day is known: `executed_at` is when it was booked.
    `net_amount` = notional + fees, signed as cash paid: a sale's is negative."""

    id = serializers.UUIDField()
    executed_at_known = serializers.BooleanField()
    booked_at = MomentField()
    booked_by = serializers.CharField()
    version = serializers.IntegerField()
    status = serializers.ChoiceField(choices=Status.choices)
    request_group = serializers.UUIDField(allow_null=True)
    net_amount = DecimalText()
    tags = serializers.ListField(child=serializers.CharField())
    trade_pnl = DecimalText(allow_null=True)
    pnl_valid = serializers.BooleanField()

    def get_fields(self) -> "dict[str, serializers.Field[Any, Any, Any, Any]]":
        fields = {**super().get_fields(), **{term.name: _answer(term) for term in TERMS}}
        return {name: fields[name] for name in ANSWERED}


class FoundOut(serializers.Serializer[Any]):
    """What one guard said: `value` is more than `limit`."""

    code = serializers.ChoiceField(choices=CODES)
    value = DecimalText()
    limit = DecimalText()
    detail = serializers.CharField()


class TradeVersionOut(serializers.Serializer[Any]):
    """One state of a trade: its terms, who made it so, when and why; what guards said of it, and
    who confirmed that: null where nobody was asked, as in an import."""

    version = serializers.IntegerField()
    status = serializers.ChoiceField(choices=Status.choices)
    executed_at_known = serializers.BooleanField()
    actor = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    recorded_at = MomentField()
    asked = FoundOut(many=True)
    confirmed_by = serializers.CharField(allow_null=True)
    fees = SourcedFeeOut(many=True)

    def get_fields(self) -> "dict[str, serializers.Field[Any, Any, Any, Any]]":
        fields = super().get_fields()
        first = {name: fields.pop(name) for name in ("version", "status")}
        terms = {term.name: _answer(term) for term in VERSIONED}
        terms["fees"] = fields.pop("fees")
        return {**first, **terms, **fields}
