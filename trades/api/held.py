"""Rows of an import that guards hold: listed, booked, dropped."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kernel import clock
from kernel.api.pages import KeysetPages
from kernel.api.pagination import keyset_page
from kernel.api.queries import caller, refuse_unknown
from kernel.api.rows import Row, moment
from kernel.api.serializers import MomentField, StrictSerializer, WholeNumber
from trades.api.bulk import UuidField
from trades.api.imports import own
from trades.api.serializers import FoundOut
from trades.imports.held import MOST_AT_ONCE, held_book, held_drop
from trades.models import HeldRow

_WIDTH = 19
HELD = {
    "line": 3,
    "terms": {
        "account": "Test1",
        "ticker": "AAPL",
        "side": "buy",
        "quantity": "100",
        "price": "198.6",
    },
    "asked": [
        {
            "code": "off_mark",
            "value": "3.002956",
            "limit": "3",
            "detail": "The price is 3.003% above the mark, 192.81.",
        }
    ],
    "state": "held",
    "trade": None,
    "decided_by": None,
    "decided_at": None,
}
EXAMPLE_HELD = OpenApiExample("A price off the mark", value=HELD, response_only=True)
EXAMPLE_LINES = OpenApiExample("Two lines", value={"lines": [3, 8]}, request_only=True)


class LinesIn(StrictSerializer):
    """The lines of the rows meant; without them: all that are held, at most 10,000."""

    lines = serializers.ListField(
        child=WholeNumber(min_value=1, max_value=2**53 - 1),
        required=False,
        allow_empty=False,
        max_length=MOST_AT_ONCE,
    )


class HeldRowOut(serializers.Serializer[Any]):
    """A row that guards warn of: what was sent, what they said, and what became of it."""

    line = serializers.IntegerField()
    terms = serializers.DictField(child=serializers.CharField())
    asked = FoundOut(many=True)
    state = serializers.ChoiceField(choices=HeldRow.State.values)
    trade = UuidField(allow_null=True)
    decided_by = serializers.CharField(allow_null=True)
    decided_at = MomentField(allow_null=True)


class HeldBookedOut(serializers.Serializer[Any]):
    booked = serializers.IntegerField()
    ids = serializers.ListField(child=UuidField())


class HeldDroppedOut(serializers.Serializer[Any]):
    dropped = serializers.IntegerField()


def _row(held: HeldRow) -> Row:
    return {
        "line": held.line,
        "terms": held.terms,
        "asked": held.found,
        "state": held.state,
        "trade": held.trade_id and str(held.trade_id),
        "decided_by": held.decided_by.get_username() if held.decided_by else None,
        "decided_at": moment(held.decided_at),
    }


class ImportHeldView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="imports_held",
        summary="The rows of your import that guards warned of and that were held",
        responses=HeldRowOut(many=True),
        examples=[EXAMPLE_HELD],
    )
    def get(self, request: Request, import_id: UUID) -> Response:
        refuse_unknown(request, set())
        found = list(own(request, import_id).held.select_related("decided_by"))
        page, answer = keyset_page(request, found, key=lambda r: (f"{r.row:0{_WIDTH}}",))
        return answer([_row(held) for held in page])


class ImportHeldBookView(APIView):
    @extend_schema(
        operation_id="imports_held_book",
        summary="Book rows that are held, all or none",
        description="Who books them confirms what guards said. What guards refuse stays held: 400"
        " with attr `lines.<line>.<field>`.",
        request=LinesIn,
        responses=HeldBookedOut,
        examples=[EXAMPLE_LINES],
    )
    def post(self, request: Request, import_id: UUID) -> Response:
        job, lines = own(request, import_id), _lines(request)
        done = held_book(user=caller(request), job=job, lines=lines, now=clock.now())
        return Response({"booked": done.booked, "ids": done.ids})


class ImportHeldDropView(APIView):
    @extend_schema(
        operation_id="imports_held_drop",
        summary="Drop rows that are held, for good",
        request=LinesIn,
        responses=HeldDroppedOut,
        examples=[EXAMPLE_LINES],
    )
    def post(self, request: Request, import_id: UUID) -> Response:
        job, lines = own(request, import_id), _lines(request)
        dropped = held_drop(user=caller(request), job=job, lines=lines, now=clock.now())
        return Response({"dropped": dropped})


def _lines(request: Request) -> list[int] | None:
    given = LinesIn(data=request.data)
    given.is_valid(raise_exception=True)
    found: list[int] | None = given.validated_data.get("lines")
    return found
