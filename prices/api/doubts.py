"""Prices that are held back: listed, released, refused."""

import re
from typing import Any, cast

from django.contrib.auth.models import User
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kernel import clock
from kernel.api.pages import KeysetPages
from kernel.api.pagination import MAX_PAGE_SIZE, cursor_of, keyset_page, page_size_of
from kernel.api.queries import QuerySerializer, query_of
from kernel.api.serializers import (
    DayField,
    DecimalText,
    MomentField,
    StrictSerializer,
    TextField,
    WholeNumber,
)
from prices.doubts.decide import MOST_AT_ONCE, doubts_decide
from prices.doubts.read import doubts_found, doubts_page
from prices.models import CloseDoubt
from prices.plausible import split_like

# Listed by a number of fixed width, so that pages are in the order of the list.
_BEYOND = 10**19
HELD = {
    "id": 12,
    "ticker": "CCI",
    "session": "2026-11-23",
    "kind": "rewritten",
    "price": "120",
    "compared_with": "1200",
    "split": "10:1",
    "source": "yahoo",
    "as_of": None,
    "raised_at": "2026-11-24T13:00:00Z",
    "state": "held",
    "decided_at": None,
    "decided_by": None,
    "reason": "",
}
EXAMPLE_HELD = OpenApiExample("Yahoo divides yesterday's close", value=HELD, response_only=True)
EXAMPLE_REFUSED = OpenApiExample(
    "Refused",
    value=[{
        **HELD, "state": "refused", "decided_at": "2026-11-24T13:05:00Z",
        "decided_by": "middleoffice", "reason": "10:1 split of today; closes stay as traded",
    }],
    response_only=True,
)  # fmt: skip
EXAMPLE_DECISION = OpenApiExample(
    "Two at once",
    value={"ids": [12, 13], "reason": "10:1 split of today; closes stay as traded"},
    request_only=True,
)


class DoubtQuery(QuerySerializer):
    state = serializers.ListField(
        child=serializers.ChoiceField(choices=CloseDoubt.State.values),
        required=False,
        help_text="Repeatable; `held` ones wait for a decision.",
    )
    ticker = serializers.ListField(
        child=TextField(max_length=16), required=False, help_text="Repeatable."
    )


class DoubtOut(serializers.Serializer[Any]):
    """A price that was not plausible. `kind` says beside what: `rewritten`, what was recorded of
    the
    session; `moved`, the close before; `quote`, the last price; that is `compared_with`. `split` is
    the split that would explain it. `recorded` ones were borne out by the session's quotes, and
    `overtaken` ones by a better price."""

    id = serializers.IntegerField()
    ticker = serializers.CharField(source="instrument.ticker")
    session = DayField()
    kind = serializers.ChoiceField(choices=CloseDoubt.Kind.values)
    price = DecimalText()
    compared_with = DecimalText()
    split = serializers.SerializerMethodField()
    source = serializers.CharField()  # type: ignore[assignment]
    as_of = MomentField(allow_null=True)
    raised_at = MomentField()
    state = serializers.ChoiceField(choices=CloseDoubt.State.values)
    decided_at = MomentField(allow_null=True)
    decided_by = serializers.CharField(source="decided_by.username", default=None, allow_null=True)
    reason = serializers.CharField(allow_blank=True)

    def get_split(self, doubt: CloseDoubt) -> str | None:
        return split_like(doubt.price, doubt.compared_with)


class DecisionIn(StrictSerializer):
    ids = serializers.ListField(child=WholeNumber(), min_length=1, max_length=MOST_AT_ONCE)
    reason = TextField(max_length=200)


class DoubtListView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="prices_doubts_list",
        summary="Prices that are or were held back, newest first",
        parameters=[DoubtQuery],
        responses=DoubtOut(many=True),
        examples=[EXAMPLE_HELD],
    )
    def get(self, request: Request) -> Response:
        query = query_of(request, DoubtQuery)
        after, before = _read(request, "after"), _read(request, "before")
        found = doubts_page(
            doubts_found(states=query.get("state"), tickers=query.get("ticker")),
            size=page_size_of(request, MAX_PAGE_SIZE),
            after=after,
            before=before,
        )
        page, answer = keyset_page(
            request, found, key=_newest_first,
            more_before=after is not None, more_after=before is not None,
        )  # fmt: skip
        return answer(DoubtOut(page, many=True).data)


class DoubtReleaseView(APIView):
    @extend_schema(
        operation_id="prices_doubts_release",
        summary="Let prices that were held back count (permission `prices.override`)",
        description="All or none. A released close is the source's from then on, and P&L that used"
        " another is restated. 409 when one was decided otherwise; a second call is harmless.",
        request=DecisionIn,
        responses={200: DoubtOut(many=True)},
        examples=[EXAMPLE_DECISION],
    )
    def post(self, request: Request) -> Response:
        return _decide(request, release=True)


class DoubtRefuseView(APIView):
    @extend_schema(
        operation_id="prices_doubts_refuse",
        summary="Never let prices that were held back count (permission `prices.override`)",
        description="All or none. The source's same answer is not asked about again. 409 when one"
        " was decided otherwise; a second call is harmless.",
        request=DecisionIn,
        responses={200: DoubtOut(many=True)},
        examples=[EXAMPLE_DECISION, EXAMPLE_REFUSED],
    )
    def post(self, request: Request) -> Response:
        return _decide(request, release=False)


def _newest_first(doubt: CloseDoubt) -> tuple[str, ...]:
    return (str(_BEYOND - doubt.pk),)


def _read(request: Request, name: str) -> int | None:
    """The id that a cursor names."""
    key = cursor_of(request, name)
    if key is None:
        return None
    if len(key) != 1 or not re.fullmatch("[0-9]{1,19}", key[0], re.ASCII):
        raise ValidationError({name: ["This is no cursor."]})
    return _BEYOND - int(key[0])


def _decide(request: Request, *, release: bool) -> Response:
    given = DecisionIn(data=request.data)
    given.is_valid(raise_exception=True)
    decided = doubts_decide(
        user=cast(User, request.user), release=release, now=clock.now(), **given.validated_data
    )
    return Response(DoubtOut(decided, many=True).data)
