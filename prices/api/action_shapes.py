"""What is sent and answered of corporate actions, with examples."""

from functools import partial
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field
from rest_framework import serializers

from kernel.actions import Fractions
from kernel.api.queries import QuerySerializer
from kernel.api.serializers import (
    AmountField,
    DayField,
    DecimalText,
    FlagField,
    MomentField,
    OneOf,
    StrictSerializer,
    TextField,
    WholeNumber,
)
from kernel.money import AmountRefused, amount_of
from prices.models import ActionKind, ActionStatus

_AmountOrZero = partial(AmountField, read=partial(amount_of, zero=True))

SPLIT = {
    "ticker": "NVDA",
    "kind": "split",
    "ex_date": "2024-06-10",
    "keep_new": "10",
    "keep_old": "1",
    "reason": "Announced on 22 May 2024",
}
SHOWN = {
    "id": "018fd2a5-0c3c-7c58-b2a7-3f6d2b1f7a10",
    "ticker": "NVDA",
    "kind": "split",
    "ex_date": "2024-06-10",
    "sequence": 1,
    "version": 1,
    "status": "proposed",
    "confirmed_version": None,
    "keep_new": "10",
    "keep_old": "1",
    "fractions": "cash",
    "cash": "0",
    "cash_is_income": False,
    "cost_to_cash": "0",
    "legs": [],
    "cash_in_lieu": {},
    "pay_date": None,
    "actor": "middleoffice",
    "reason": "Announced on 22 May 2024",
    "recorded_at": "2024-06-07T14:03:00Z",
    "decisions": [],
}
EXAMPLE_SPLIT = OpenApiExample("A 10:1 split", value=SPLIT, request_only=True)
EXAMPLE_SPIN_OFF = OpenApiExample(
    "One share of the child for four",
    value={
        "ticker": "GE",
        "kind": "spin_off",
        "ex_date": "2024-04-02",
        "legs": [{"ticker": "GEV", "new": "1", "old": "4", "cost_share": "0.19"}],
        "cash_in_lieu": "141.20",
        "reason": "Information statement",
    },
    request_only=True,
)
EXAMPLE_SHOWN = OpenApiExample("As proposed", value=SHOWN, response_only=True)
OF_THE_ACTION = {"id", "ticker", "status", "confirmed_version"}
EXAMPLE_VERSION = OpenApiExample(
    "The first",
    value={name: value for name, value in SHOWN.items() if name not in OF_THE_ACTION},
    response_only=True,
)
EXAMPLE_SUGGESTION = OpenApiExample(
    "A split",
    value={
        "ticker": "NVDA", "kind": "split", "ex_date": "2026-03-16", "keep_new": "10",
        "keep_old": "1", "cash": "0", "source": "yahoo",
    },
    response_only=True,
)  # fmt: skip
EXAMPLE_AMENDMENT = OpenApiExample(
    "Another ratio",
    value={"version": 1, "keep_new": "20", "reason": "The ratio was misread"},
    request_only=True,
)
EXAMPLE_DECISION = OpenApiExample(
    "Seen and right", value={"version": 1, "reason": "Checked with the issuer"}, request_only=True
)


class LegIn(StrictSerializer):
    """Shares of another instrument, `new` for `old` of the action's own."""

    ticker = TextField(max_length=16)
    new = AmountField()
    old = AmountField()
    cost_share = _AmountOrZero(required=False)


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "format": "decimal"},
            {"type": "object", "additionalProperties": {"type": "string", "format": "decimal"}},
        ],
        "example": "66.50",
    }
)
class InLieuField(serializers.Field[Any, Any, Any, Any]):
    """One price, or one by ticker."""

    _ticker = TextField()

    def to_internal_value(self, data: Any) -> Any:
        try:
            if isinstance(data, dict):
                return {
                    self._ticker.to_internal_value(ticker)[:16]: amount_of(price)
                    for ticker, price in data.items()
                }
            return amount_of(data)
        except AmountRefused as refusal:
            raise serializers.ValidationError(refusal.detail, code=refusal.code) from refusal

    def to_representation(self, value: Any) -> Any:
        return value


class _TermsIn(StrictSerializer):
    """What is left out is what the kind says: 1:1 or 0 shares, no cash, no legs."""

    kind = OneOf(choices=ActionKind.values)
    ex_date = DayField()
    sequence = WholeNumber(required=False, min_value=1, max_value=99)
    keep_new = _AmountOrZero(required=False, help_text="Shares after,")
    keep_old = AmountField(required=False, help_text="for so many before.")
    fractions = OneOf(choices=[each.value for each in Fractions], required=False)
    cash = _AmountOrZero(required=False, help_text="For each share before.")
    cash_is_income = FlagField(required=False)
    cost_to_cash = _AmountOrZero(
        required=False, help_text="The share of the cost that is realized against the cash."
    )
    legs = LegIn(many=True, required=False)
    cash_in_lieu = InLieuField(
        required=False, help_text="The price at which fractions are paid, or one by ticker."
    )
    pay_date = DayField(required=False)


class ActionIn(_TermsIn):
    ticker = TextField(max_length=16)
    reason = TextField(max_length=200)


class ActionAmendmentIn(_TermsIn):
    """The terms that change; the others stay as in the latest version."""

    version = WholeNumber()
    reason = TextField(max_length=200)
    kind = OneOf(choices=ActionKind.values, required=False)
    ex_date = DayField(required=False)


class ActionDecisionIn(StrictSerializer):
    version = WholeNumber()
    reason = TextField(max_length=200)


class ActionQuery(QuerySerializer):
    ticker = serializers.ListField(child=TextField(max_length=16), required=False)
    status = serializers.ListField(
        child=serializers.ChoiceField(choices=ActionStatus.values), required=False
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            **super().get_fields(),
            "from": DayField(required=False, help_text="Ex-dates, inclusive."),
            "to": DayField(required=False),
        }


class LegOut(serializers.Serializer[Any]):
    ticker = serializers.CharField()
    new = DecimalText()
    old = DecimalText()
    cost_share = DecimalText()


class ActionDecisionOut(serializers.Serializer[Any]):
    decision = serializers.ChoiceField(choices=["confirmed", "cancelled", "withdrawn"])
    actor = serializers.CharField()
    reason = serializers.CharField()
    recorded_at = MomentField()


class ActionVersionOut(serializers.Serializer[Any]):
    """One version's terms, who proposed them, and what was decided of them."""

    version = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=ActionKind.values)
    ex_date = DayField()
    sequence = serializers.IntegerField()
    keep_new = DecimalText()
    keep_old = DecimalText()
    fractions = serializers.ChoiceField(choices=[each.value for each in Fractions])
    cash = DecimalText()
    cash_is_income = serializers.BooleanField()
    cost_to_cash = DecimalText()
    legs = LegOut(many=True)
    cash_in_lieu = serializers.DictField(child=DecimalText())
    pay_date = DayField(allow_null=True)
    actor = serializers.CharField()
    reason = serializers.CharField()
    recorded_at = MomentField()
    decisions = ActionDecisionOut(many=True)


class ActionOut(ActionVersionOut):
    """An action with the terms of its latest version. `confirmed_version` is the one that counts;
    none where nothing does."""

    id = serializers.UUIDField()
    ticker = serializers.CharField()
    status = serializers.ChoiceField(choices=ActionStatus.values)
    confirmed_version = serializers.IntegerField(allow_null=True)


class SuggestionOut(serializers.Serializer[Any]):
    """A split or dividend that the price source tells of, in the terms of a proposal."""

    ticker = serializers.CharField()
    kind = serializers.ChoiceField(choices=ActionKind.values)
    ex_date = DayField()
    keep_new = DecimalText()
    keep_old = DecimalText()
    cash = DecimalText()
    source = serializers.CharField()  # type: ignore[assignment]
