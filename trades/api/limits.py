"""Limits, and their breaches."""

from functools import partial
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kernel.api.pages import KeysetPages
from kernel.api.pagination import keyset_page, keyset_read
from kernel.api.queries import QuerySerializer, caller, query_of, refuse_unknown
from kernel.api.rows import Row, moment, text
from kernel.api.serializers import (
    DecimalText,
    FlagField,
    MomentField,
    OneOf,
    StrictSerializer,
    TextField,
)
from trades.api.guards import PAGE_SIZE, LevelField, rows_of
from trades.guard_rules import round_shown
from trades.guards.breaches import breaches_page, limits_seen
from trades.limit_rules import KINDS, MODES, used
from trades.models import Breach, Limit
from trades.services.limit_settings import WantedLimit, limits_put

LIMIT = {
    "id": 3,
    "account": "Test1",
    "group": None,
    "kind": "gross",
    "amount": "400000",
    "alert_at": "90",
    "mode": "alert",
    "is_active": True,
    "version": 1,
    "changed_by": "middleoffice",
    "changed_at": "2026-03-18T16:00:00Z",
}
EXAMPLE_LIMIT = OpenApiExample("Gross market value", value=LIMIT, response_only=True)
EXAMPLE_PUT = OpenApiExample(
    "Two limits",
    value=[
        {"account": "Test1", "kind": "gross", "amount": "400000"},
        {"account": "Test1", "kind": "position", "amount": "50000", "mode": "refuse"},
    ],
    request_only=True,
)
BREACH = {
    "id": "019c0f3e-7a52-7c31-9b7e-2f0d5c1a8e46",
    "limit": 3,
    "account": "Test1",
    "group": None,
    "kind": "gross",
    "state": "warned",
    "value": "383253.25",
    "worst": "383253.25",
    "amount": "400000",
    "used": "95.813313",
    "opened_at": "2026-03-18T16:00:00Z",
    "seen_at": "2026-03-18T16:01:00Z",
    "closed_at": None,
}
EXAMPLE_BREACH = OpenApiExample("Warned of", value=BREACH, response_only=True)


class LimitIn(StrictSerializer):
    """One limit, of an account or of a group. `alert` tells of it; `refuse` (`position` and
    `day_notional` of an account) refuses what exceeds it and makes it worse. From `alert_at`
    percent on it is warned of."""

    account = TextField(max_length=32, required=False, allow_null=True)
    group = TextField(max_length=32, required=False, allow_null=True)
    kind = OneOf(choices=KINDS)
    amount = LevelField()
    alert_at = LevelField(required=False)
    mode = OneOf(choices=MODES, required=False)
    is_active = FlagField(required=False)


class LimitOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    account = serializers.CharField(allow_null=True)
    group = serializers.CharField(allow_null=True)
    kind = serializers.ChoiceField(choices=KINDS)
    amount = DecimalText()
    alert_at = DecimalText()
    mode = serializers.ChoiceField(choices=MODES)
    is_active = serializers.BooleanField()
    version = serializers.IntegerField()
    changed_by = serializers.CharField()
    changed_at = MomentField()


class BreachOut(serializers.Serializer[Any]):
    """A limit that is or was warned of or breached. `value` is the last that was seen, `used` in
    percent of the limit, `worst` the furthest."""

    id = serializers.UUIDField()
    limit = serializers.IntegerField()
    account = serializers.CharField(allow_null=True)
    group = serializers.CharField(allow_null=True)
    kind = serializers.ChoiceField(choices=KINDS)
    state = serializers.ChoiceField(choices=Breach.State.choices)
    value = DecimalText()
    worst = DecimalText()
    amount = DecimalText()
    used = DecimalText()
    opened_at = MomentField()
    seen_at = MomentField()
    closed_at = MomentField(allow_null=True)


class BreachQuery(QuerySerializer):
    open = serializers.BooleanField(required=False, help_text="true: those that are not over.")


def limit_row(limit: Limit) -> Row:
    return {
        "id": limit.pk,
        "account": limit.account and limit.account.code,
        "group": limit.group and limit.group.name,
        "kind": limit.kind,
        "amount": text(limit.amount),
        "alert_at": text(limit.alert_at),
        "mode": limit.mode,
        "is_active": limit.is_active,
        "version": limit.version,
        "changed_by": limit.changed_by.get_username(),
        "changed_at": moment(limit.changed_at),
    }


def breach_row(breach: Breach) -> Row:
    limit = breach.limit
    return {
        "id": str(breach.pk),
        "limit": limit.pk,
        "account": limit.account and limit.account.code,
        "group": limit.group and limit.group.name,
        "kind": limit.kind,
        "state": breach.state,
        "value": text(round_shown(breach.value)),
        "worst": text(round_shown(breach.worst)),
        "amount": text(breach.amount),
        "used": text(round_shown(used(breach.value, breach.amount))),
        "opened_at": moment(breach.opened_at),
        "seen_at": moment(breach.seen_at),
        "closed_at": moment(breach.closed_at),
    }


class LimitsView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="limits_list",
        summary="Limits of your accounts and of groups of them",
        responses=LimitOut(many=True),
        examples=[EXAMPLE_LIMIT],
    )
    def get(self, request: Request) -> Response:
        refuse_unknown(request, set())
        found = list(limits_seen(request.user).order_by("pk"))
        page, answer = keyset_page(request, found, key=lambda each: (f"{each.pk:019}",))
        return answer([limit_row(limit) for limit in page])

    @extend_schema(
        operation_id="limits_put",
        summary="Set limits (permission `trades.manage_guards`)",
        description="Each by its account or group and kind, all or none; what is not named stays.",
        request=LimitIn(many=True),
        responses=LimitOut(many=True),
        examples=[EXAMPLE_PUT, EXAMPLE_LIMIT],
    )
    def put(self, request: Request) -> Response:
        given = rows_of(LimitIn, request)
        wanted = [WantedLimit(**each) for each in given]
        return Response([limit_row(e) for e in limits_put(user=caller(request), wanted=wanted)])


class BreachesView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="breaches_list",
        summary="Limits that are or were exceeded or warned of, newest first",
        parameters=[BreachQuery],
        responses=BreachOut(many=True),
        examples=[EXAMPLE_BREACH],
    )
    def get(self, request: Request) -> Response:
        is_open = query_of(request, BreachQuery).get("open")
        page, answer = keyset_read(
            request,
            partial(breaches_page, request.user, is_open),
            key=lambda each: each.pk,
            default_size=PAGE_SIZE,
        )
        return answer([breach_row(each) for each in page])
