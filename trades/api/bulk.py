"""Many trades in one request, and made-up ones to try it with."""

import random
import re
from typing import Any
from uuid import UUID

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kernel import clock
from kernel.api.queries import caller
from kernel.api.serializers import (
    ConfirmField,
    DecimalText,
    StrictSerializer,
    TextField,
    WholeNumber,
)
from trades.api.serializers import BookingIn
from trades.models import Side
from trades.services.bulk import MAX_TRADES, trades_bulk_book
from trades.services.generating import trades_generate

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z", re.I | re.A)


@extend_schema_field({"type": "string", "format": "uuid"})
class UuidField(serializers.Field[UUID, Any, str, Any]):
    default_error_messages = {
        "malformed": "This must be a UUID, such as 0190163d-8694-739b-aea5-966c26f8ad91."
    }

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or not _UUID.match(data):
            self.fail("malformed")
        return UUID(data)

    def to_representation(self, value: UUID) -> str:
        return str(value)


class RowIn(BookingIn):
    """One booking of many."""

    confirm = None  # type: ignore[assignment]


@extend_schema_field(RowIn(many=True))
class RowsField(serializers.Field[list[Any], Any, Any, Any]):
    """A list of bookings whose rows the service checks: a serializer for each of 10,000 rows would
    take longer than booking them."""

    default_error_messages = {
        "not_a_list": "This must be a list of trades.",
        "empty": "There is no trade in it.",
        "too_many": f"This may hold at most {MAX_TRADES:,} trades; import a CSV file for more.",
    }

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            self.fail("not_a_list")
        if not data:
            self.fail("empty")
        if len(data) > MAX_TRADES:
            self.fail("too_many")
        return data


class BulkIn(StrictSerializer):
    """All or nothing. `request_group` makes a retry safe: choose a new UUID for each booking.
    `confirm` confirms all rows that were asked about; it is sent beside them, not in them."""

    request_group = UuidField(required=False)
    confirm = ConfirmField()
    trades = RowsField()


class BulkOut(serializers.Serializer[Any]):
    """`ids` in the order of the rows; a row whose client_trade_id had booked a trade before has
    that trade's id, and is not counted in `booked`."""

    request_group = UuidField()
    booked = serializers.IntegerField()
    ids = serializers.ListField(child=UuidField())


EXAMPLE_GROUP = "4f3c2a9e-8a53-4c57-9f0b-0d8a4f5b6c7d"
EXAMPLE_BULK = OpenApiExample(
    "Two trades",
    value={
        "request_group": EXAMPLE_GROUP,
        "trades": [
            {
                "account": "Test2",
                "ticker": "IBM",
                "side": "buy",
                "quantity": "10",
                "price": "143.50",
            },
            {
                "account": "Test2",
                "ticker": "AAPL",
                "side": "sell",
                "quantity": "30",
                "price": "195.61",
                "client_trade_id": "desk-1-000018",
            },
        ],
    },
    request_only=True,
)
EXAMPLE_BOOKED = OpenApiExample(
    "Booked",
    value={
        "request_group": EXAMPLE_GROUP,
        "booked": 2,
        "ids": [
            "0190163d-8694-739b-aea5-966c26f8ad91",
            "0190163d-8694-739b-aea5-966d0f9b6d55",
        ],
    },
    response_only=True,
)


class BulkView(APIView):
    @extend_schema(
        operation_id="trades_bulk",
        summary="Book up to 10,000 trades, all or none",
        description="Errors name the row, from 0, and the field: `trades.3.quantity`. Rows count"
        " in order where an account may not go short. The same request_group with the same"
        " trades again: 200 and the same ids; with other trades: 409.",
        request=BulkIn,
        responses={
            201: BulkOut,
            200: OpenApiResponse(BulkOut, description="Booked before with this request_group"),
        },
        examples=[EXAMPLE_BULK, EXAMPLE_BOOKED],
    )
    def post(self, request: Request) -> Response:
        given = BulkIn(data=request.data)
        given.is_valid(raise_exception=True)
        booked = trades_bulk_book(
            user=caller(request),
            rows=given.validated_data["trades"],
            request_group=given.validated_data.get("request_group"),
            confirm=given.validated_data.get("confirm"),
            now=clock.now(),
        )
        answer = {
            "request_group": str(booked.request_group),
            "booked": booked.booked,
            "ids": booked.ids,
        }
        return Response(answer, status=201 if booked.is_new else 200)


class GenerateIn(StrictSerializer):
    """Without tickers: all active instruments that have a price. The same seed, prices and
    holdings give the same trades."""

    accounts = serializers.ListField(
        child=TextField(max_length=32), allow_empty=False, max_length=1000
    )
    count = WholeNumber(min_value=1, max_value=MAX_TRADES)
    tickers = serializers.ListField(
        child=TextField(max_length=16), required=False, max_length=10_000
    )
    seed = WholeNumber(required=False, min_value=0, max_value=2**53 - 1)


class MadeUpOut(serializers.Serializer[Any]):
    account = serializers.CharField()
    ticker = serializers.CharField()
    side = serializers.ChoiceField(choices=Side.choices)
    quantity = DecimalText()
    price = DecimalText()


class GenerateOut(serializers.Serializer[Any]):
    trades = MadeUpOut(many=True)


class GenerateView(APIView):
    @extend_schema(
        operation_id="trades_generate",
        summary="Made-up trades near current prices, not booked",
        description="The answer is a request of `trades/bulk/` as it stands: in accounts where you"
        " may book, selling no more than is held where going short is not allowed.",
        request=GenerateIn,
        responses=GenerateOut,
        examples=[
            OpenApiExample(
                "Three trades of two names",
                value={"accounts": ["Test1", "Test2"], "count": 3, "tickers": ["AAPL", "IBM"]},
                request_only=True,
            ),
            OpenApiExample(
                "Made up",
                value={
                    "trades": [
                        {
                            "account": "Test1",
                            "ticker": "IBM",
                            "side": "buy",
                            "quantity": "120",
                            "price": "143.61",
                        }
                    ],
                },
                response_only=True,
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        given = GenerateIn(data=request.data)
        given.is_valid(raise_exception=True)
        asked = given.validated_data
        made = trades_generate(
            user=caller(request),
            accounts=asked["accounts"],
            count=asked["count"],
            tickers=asked.get("tickers", []),
            seed=asked.get("seed", random.randrange(2**32)),
            now=clock.now(),
        )
        return Response({"trades": MadeUpOut(made, many=True).data})
