"""A user's alerts, and what they told."""

from functools import partial
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from blotter.alert_rules import NAMES, STATES, WAYS, level_of
from blotter.alerts.keep import (
    MOST,
    Listed,
    Wanted,
    alert_change,
    alert_delete,
    alert_set,
    alerts_of,
)
from blotter.alerts.told import firing_row, firings_page, firings_see
from kernel import clock
from kernel.api.pages import KeysetPages
from kernel.api.pagination import keyset_page, keyset_read
from kernel.api.queries import QuerySerializer, caller, query_of, refuse_unknown
from kernel.api.rows import Row, moment, text
from kernel.api.serializers import (
    AmountField,
    DecimalText,
    FlagField,
    MomentField,
    OneOf,
    StrictSerializer,
    TextField,
)

PAGE_SIZE = 100
MOST_SEEN = 500

ALERT = {
    "id": "019c0f3e-7a52-7c31-9b7e-2f0d5c1a8e46",
    "kind": "account_pnl",
    "account": "Test1",
    "ticker": None,
    "way": "below",
    "level": "-10000",
    "is_once": False,
    "is_active": True,
    "state": "armed",
    "set_at": "2026-03-18T15:00:00Z",
    "last_fired_at": None,
}
FIRED = {
    "id": "019c0f4a-11c0-7b52-8d11-7e5a3f0c9d21",
    "alert": ALERT["id"],
    "kind": "account_pnl",
    "account": "Test1",
    "ticker": None,
    "way": "below",
    "level": "-10000",
    "value": "-10250.5",
    "text": "P&L of Test1 is -10,250.50, below -10,000",
    "trade": None,
    "versions": None,
    "by": None,
    "opened_at": "2026-03-18T16:00:00Z",
    "closed_at": None,
    "seen_at": None,
}
EXAMPLE = OpenApiExample("An alert", value=ALERT, response_only=True)
EXAMPLE_FIRED = OpenApiExample("It fired", value=FIRED, response_only=True)
EXAMPLES_SET = [
    OpenApiExample(name, value=value, request_only=True)
    for name, value in {
        "A loss": {"kind": "account_pnl", "account": "Test1", "way": "below", "level": "-10000"},
        "A price": {"kind": "price", "ticker": "IBM", "way": "above", "level": "150"},
        "A position": {
            "kind": "position", "account": "Test1", "ticker": "IBM", "way": "above",
            "level": "5000",
        },
        "A stale price": {"kind": "stale", "account": "Test1", "level": "10"},
        "Trades of others": {"kind": "others_trades", "account": "Test1"},
    }.items()
]  # fmt: skip


@extend_schema_field(
    {"type": "string", "format": "decimal", "pattern": r"^-?[0-9]{1,18}(\.[0-9]{1,10})?$"}
)
class LevelField(AmountField):
    """A level of either sign."""

    def __init__(self, **more: Any) -> None:
        super().__init__(read=level_of, **more)


class AlertIn(StrictSerializer):
    """`account_pnl` is of an account, `price` of a ticker, `position` of both, `stale` of either
    (its level are whole minutes, and it has no way), `others_trades` of an account, without a
    level. `is_once`: off after it has fired."""

    kind = OneOf(choices=NAMES)
    account = TextField(max_length=32, required=False, allow_null=True)
    ticker = TextField(max_length=16, required=False, allow_null=True)
    way = OneOf(choices=WAYS, required=False, allow_null=True)
    level = LevelField(required=False, allow_null=True)
    is_once = FlagField(required=False)
    is_active = FlagField(required=False)


class AlertOut(serializers.Serializer[Any]):
    """`state` is `holds` while what it is about holds, so that it has fired and waits until that is
    over; `silent` while you may not view its account."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=NAMES)
    account = serializers.CharField(allow_null=True)
    ticker = serializers.CharField(allow_null=True)
    way = serializers.ChoiceField(choices=WAYS, allow_null=True)
    level = DecimalText(allow_null=True)
    is_once = serializers.BooleanField()
    is_active = serializers.BooleanField()
    state = serializers.ChoiceField(choices=STATES)
    set_at = MomentField()
    last_fired_at = MomentField(allow_null=True)


class FiringOut(serializers.Serializer[Any]):
    """An alert fired: `level` and `value` are of that moment. `trade` is the last of `versions`
    that `by` and others made."""

    id = serializers.UUIDField()
    alert = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=NAMES)
    account = serializers.CharField(allow_null=True)
    ticker = serializers.CharField(allow_null=True)
    way = serializers.ChoiceField(choices=WAYS, allow_null=True)
    level = DecimalText(allow_null=True)
    value = DecimalText(allow_null=True)
    text = serializers.CharField()
    trade = serializers.UUIDField(allow_null=True)
    versions = serializers.IntegerField(allow_null=True)
    by = serializers.CharField(allow_null=True)
    opened_at = MomentField()
    closed_at = MomentField(allow_null=True)
    seen_at = MomentField(allow_null=True)


class FiredQuery(QuerySerializer):
    unseen = serializers.BooleanField(
        required=False, help_text="true: those that you have not seen."
    )


class SeenIn(StrictSerializer):
    ids = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MOST_SEEN)


class SeenOut(serializers.Serializer[Any]):
    seen = serializers.IntegerField(help_text="How many you had not seen before.")


def alert_row(listed: Listed) -> Row:
    alert = listed.alert
    return {
        "id": str(alert.pk),
        "kind": alert.kind,
        "account": alert.account and alert.account.code,
        "ticker": alert.instrument and alert.instrument.ticker,
        "way": alert.way or None,
        "level": text(alert.level),
        "is_once": alert.is_once,
        "is_active": alert.is_active,
        "state": listed.state,
        "set_at": moment(alert.set_at),
        "last_fired_at": moment(listed.last_fired_at),
    }


def _wanted(request: Request) -> Wanted:
    given = AlertIn(data=request.data)
    given.is_valid(raise_exception=True)
    return Wanted(**given.validated_data)


class AlertsView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="alerts_list",
        summary="Your alerts, oldest first",
        responses=AlertOut(many=True),
        examples=[EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        refuse_unknown(request, set())
        found = alerts_of(caller(request))
        page, answer = keyset_page(request, found, key=lambda each: (str(each.alert.pk),))
        return answer([alert_row(each) for each in page])

    @extend_schema(
        operation_id="alerts_set",
        summary="Set an alert",
        description=f"At most {MOST}. It fires when it begins to hold, and again after it has"
        " ceased to, at most once in 5 minutes.",
        request=AlertIn,
        responses={201: AlertOut},
        examples=[EXAMPLE, *EXAMPLES_SET],
    )
    def post(self, request: Request) -> Response:
        listed = alert_set(user=caller(request), wanted=_wanted(request), now=clock.now())
        return Response(alert_row(listed), status=201)


class AlertView(APIView):
    @extend_schema(
        operation_id="alerts_change",
        summary="Change an alert, and arm it anew",
        description="Its kind, account and ticker stay.",
        request=AlertIn,
        responses=AlertOut,
        examples=[EXAMPLE, *EXAMPLES_SET],
    )
    def put(self, request: Request, alert_id: UUID) -> Response:
        wanted, user = _wanted(request), caller(request)
        listed = alert_change(user=user, alert_id=alert_id, wanted=wanted, now=clock.now())
        return Response(alert_row(listed))

    @extend_schema(
        operation_id="alerts_delete",
        summary="Delete an alert, and what it told",
        responses={204: None},
    )
    def delete(self, request: Request, alert_id: UUID) -> Response:
        alert_delete(user=caller(request), alert_id=alert_id)
        return Response(status=204)


class FiredView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="alerts_fired",
        summary="What your alerts told, newest first",
        parameters=[FiredQuery],
        responses=FiringOut(many=True),
        examples=[EXAMPLE_FIRED],
    )
    def get(self, request: Request) -> Response:
        unseen = query_of(request, FiredQuery).get("unseen", False)
        page, answer = keyset_read(
            request,
            partial(firings_page, caller(request), unseen),
            key=lambda each: each.pk,
            default_size=PAGE_SIZE,
        )
        return answer([firing_row(each) for each in page])


class SeenView(APIView):
    @extend_schema(
        operation_id="alerts_see",
        summary="Say that you have seen what alerts told",
        description="On all of your pages it then is no news any more.",
        request=SeenIn,
        responses=SeenOut,
        examples=[
            OpenApiExample("Seen", value={"ids": [FIRED["id"]]}, request_only=True),
            OpenApiExample("How many", value={"seen": 1}, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        given = SeenIn(data=request.data)
        given.is_valid(raise_exception=True)
        ids = given.validated_data["ids"]
        return Response({"seen": firings_see(user=caller(request), ids=ids, now=clock.now())})
