"""Fee schedules: listed to everybody, added by who may."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.selectors import viewable_accounts
from kernel.api.pages import KeysetPages
from kernel.api.pagination import keyset_page
from kernel.api.queries import refuse_unknown
from kernel.api.rows import Row, text
from kernel.api.serializers import (
    AmountField,
    DayField,
    DecimalText,
    OneOf,
    StrictSerializer,
    TextField,
)
from kernel.money import amount_of
from trades.fee_kinds import FEE_KINDS
from trades.fee_rates import BOTH, HALF_UP, ROUNDINGS, SIDES
from trades.models import AccountFeeSchedule, FeeSchedule
from trades.services.charging import WantedSchedule, fee_schedule_add


def _amount_or_zero(value: object) -> Any:
    return amount_of(value, zero=True)


def _amount() -> AmountField:
    return AmountField(read=_amount_or_zero, required=False)


class FeeScheduleIn(StrictSerializer):
    """One rate, from a trade date on; a later one of the same name, kind and side takes its place.
    `accounts` are charged by all rates of the name."""

    name = TextField(max_length=64)
    kind = OneOf(choices=FEE_KINDS)
    side = OneOf(choices=SIDES, required=False, default=BOTH)
    valid_from = DayField()
    per_million = _amount()
    per_share = _amount()
    minimum = _amount()
    maximum = _amount()
    accounts = serializers.ListField(
        child=TextField(max_length=32), required=False, max_length=1000
    )

    def get_fields(self) -> "dict[str, serializers.Field[Any, Any, Any, Any]]":
        # `round` is a function of Python's own.
        rounded = OneOf(choices=ROUNDINGS, required=False, default=HALF_UP)
        return {**super().get_fields(), "round": rounded}


class FeeScheduleOut(serializers.Serializer[Any]):
    """`accounts` are those that the caller may view."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=FEE_KINDS)
    side = serializers.ChoiceField(choices=SIDES)
    valid_from = DayField()
    per_million = DecimalText()
    per_share = DecimalText()
    minimum = DecimalText(allow_null=True)
    maximum = DecimalText(allow_null=True)
    accounts = serializers.ListField(child=serializers.CharField())

    def get_fields(self) -> "dict[str, serializers.Field[Any, Any, Any, Any]]":
        return {**super().get_fields(), "round": serializers.ChoiceField(choices=ROUNDINGS)}


_SAID = {
    "name": "SEC", "kind": "regulatory", "side": "sell", "valid_from": "2025-05-14",
    "per_million": "27.8", "per_share": "0", "round": "up", "accounts": ["Test1"],
}  # fmt: skip
EXAMPLE_IN = OpenApiExample("Of sales", value=_SAID, request_only=True)
EXAMPLE = OpenApiExample(
    "Of sales", value={"id": 1, **_SAID, "minimum": None, "maximum": None}, response_only=True
)


class FeeSchedulesView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="fee_schedules_list",
        summary="Fee schedules, by name, kind, side and day",
        responses=FeeScheduleOut(many=True),
        examples=[EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        refuse_unknown(request, set())
        found = sorted(FeeSchedule.objects.all(), key=_key)
        page, answer = keyset_page(request, found, key=_key)
        return answer(_rows(request, page))

    @extend_schema(
        operation_id="fee_schedules_add",
        summary="Add a rate to a fee schedule (permission `trades.add_feeschedule`)",
        description="Charged of trades that are booked from now on, of kinds that the caller sends"
        " no fee of. No trade that is booked changes.",
        request=FeeScheduleIn,
        responses={201: FeeScheduleOut},
        examples=[EXAMPLE, EXAMPLE_IN],
    )
    def post(self, request: Request) -> Response:
        given = FeeScheduleIn(data=request.data)
        given.is_valid(raise_exception=True)
        said = dict(given.validated_data)
        added = fee_schedule_add(
            WantedSchedule(
                name=said["name"],
                kind=said["kind"],
                side=said["side"],
                valid_from=said["valid_from"],
                per_million=said.get("per_million", 0),
                per_share=said.get("per_share", 0),
                minimum=said.get("minimum"),
                maximum=said.get("maximum"),
                rounding=said["round"],
                accounts=said.get("accounts", ()),
            )
        )
        return Response(_rows(request, [added])[0], status=201)


def _key(each: FeeSchedule) -> tuple[str, str, str, str]:
    return each.name, each.kind, each.side, each.valid_from.isoformat()


def _rows(request: Request, schedules: Sequence[FeeSchedule]) -> list[Row]:
    codes = {account.pk: account.code for account in viewable_accounts(request.user)}
    charged: dict[str, set[str]] = {}
    pairs = AccountFeeSchedule.objects.filter(
        account__in=codes, schedule__name__in={each.name for each in schedules}
    )
    for name, account in pairs.values_list("schedule__name", "account_id"):
        charged.setdefault(name, set()).add(codes[account])
    return [
        {
            "id": each.pk,
            "name": each.name,
            "kind": each.kind,
            "side": each.side,
            "valid_from": each.valid_from.isoformat(),
            "per_million": text(each.per_million),
            "per_share": text(each.per_share),
            "minimum": text(each.minimum),
            "maximum": text(each.maximum),
            "accounts": sorted(charged.get(each.name, ())),
            "round": each.rounding,
        }
        for each in schedules
    ]
