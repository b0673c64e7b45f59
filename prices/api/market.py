"""The exchange's clock, for screens that say whether it trades and until when."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kernel import clock
from kernel.api.queries import refuse_unknown
from kernel.api.serializers import DayField, MomentField
from prices.sessions import sessions


class MarketOut(serializers.Serializer[Any]):
    """`opens_at` and `closes_at` are of the business date's session, half days and overrides
    included; `next_opens_at` is of the session after it."""

    now = MomentField()
    business_date = DayField()
    previous_session = DayField()
    is_open = serializers.BooleanField()
    opens_at = MomentField()
    closes_at = MomentField()
    next_session = DayField()
    next_opens_at = MomentField()


EXAMPLE_MARKET = OpenApiExample(
    "A Friday morning",
    value={
        "now": "2026-01-30T15:04:05Z",
        "business_date": "2026-01-30",
        "previous_session": "2026-01-29",
        "is_open": True,
        "opens_at": "2026-01-30T14:30:00Z",
        "closes_at": "2026-01-30T21:00:00Z",
        "next_session": "2026-02-02",
        "next_opens_at": "2026-02-02T14:30:00Z",
    },
    response_only=True,
)


class MarketView(APIView):
    @extend_schema(
        operation_id="market",
        summary="The business date, and whether the exchange trades now",
        responses=MarketOut,
        examples=[EXAMPLE_MARKET],
    )
    def get(self, request: Request) -> Response:
        refuse_unknown(request, set())
        now, known = clock.now(), sessions()
        session = known.session_of(known.business_date(now))
        following = known.session_of(known.next_session(session.date))
        answer = {
            "now": now,
            "business_date": session.date,
            "previous_session": known.previous_session(session.date),
            "is_open": known.is_open(now),
            "opens_at": session.opens,
            "closes_at": session.closes,
            "next_session": following.date,
            "next_opens_at": following.opens,
        }
        return Response(MarketOut(answer).data)
