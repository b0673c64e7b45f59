"""Exceptions of a session: listed for middle office, and reviewed."""

from collections import Counter
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from blotter.exceptions.kinds import KINDS, MOST, OFF_PERCENT
from blotter.exceptions.read import Reviewed, exceptions_of, session_asked
from blotter.exceptions.review import MOST_AT_ONCE, exceptions_review
from kernel import clock
from kernel.api.pages import KeysetPages
from kernel.api.pagination import keyset_page
from kernel.api.queries import QuerySerializer, caller, query_of
from kernel.api.rows import Row, moment
from kernel.api.serializers import DayField, MomentField, StrictSerializer, TextField
from trades.guard_rules import MINUTES

EXCEPTION = {
    "id": "off_market:019c0f3e-7a52-7c31-9b7e-2f0d5c1a8e44:1",
    "kind": "off_market",
    "at": "2026-03-18T16:00:00Z",
    "account": "Test1",
    "ticker": "IBM",
    "by": "trader",
    "detail": "Buy 10 IBM @ 198.60 is 6.200% above the mark, 187.01.",
    "trade": "019c0f3e-7a52-7c31-9b7e-2f0d5c1a8e44",
    "version": 1,
    "import": None,
    "reviewed_by": "middleoffice",
    "reviewed_at": "2026-03-18T16:05:00Z",
    "comment": "Block trade, confirmed by the broker",
}
EXAMPLE = OpenApiExample("Far from the mark, and reviewed", value=EXCEPTION, response_only=True)
EXAMPLE_REVIEW = OpenApiExample(
    "One",
    value={"ids": [EXCEPTION["id"]], "comment": EXCEPTION["comment"]},
    request_only=True,
)
_ABOUT = f"""
In the accounts that you may view, by kind, each newest first, at most {MOST} of a kind. Without
`session`: the business date. Kinds: `breach` (limits warned of or exceeded), `off_market` (strictly
more than {OFF_PERCENT}% from the mark, or from a past date's close), `duplicate` (the same account,
ticker, side, quantity and price within {MINUTES} minutes, not of one batch or file, and without an
id of the caller's own), `late` (booked after its trade date), `amended` (amended or cancelled),
`override` (prices and closes by hand), `partial` (figures without valid P&L), `held` and `rejected`
(rows of files). `open` counts those that nobody has reviewed.
""".replace("\n", " ").strip()


class ExceptionPages(KeysetPages):
    """Beside the rows: how many of each kind nobody has reviewed."""

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        page = super().get_paginated_response_schema(schema)
        counts = {"type": "object", "additionalProperties": {"type": "integer"}}
        page["properties"] = {**page["properties"], "open": {**counts, "example": {"late": 1}}}
        page["required"] = [*page["required"], "open"]
        return page


class ExceptionQuery(QuerySerializer):
    session = DayField(required=False)
    account = serializers.ListField(
        child=TextField(max_length=32), required=False, help_text="Repeatable."
    )
    kind = serializers.ListField(
        child=serializers.ChoiceField(choices=KINDS), required=False, help_text="Repeatable."
    )
    reviewed = serializers.BooleanField(required=False, allow_null=True, default=None)


class ExceptionOut(serializers.Serializer[Any]):
    """One exception. `id` names it for ever: what is changed again is another one. `trade` and
    `version`, or `import`, say of what it is; the review is the last of it."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=KINDS)
    at = MomentField()
    account = serializers.CharField(allow_null=True)
    ticker = serializers.CharField(allow_null=True)
    by = serializers.CharField(allow_null=True)
    detail = serializers.CharField()
    trade = serializers.UUIDField(allow_null=True)
    version = serializers.IntegerField(allow_null=True)
    reviewed_by = serializers.CharField(allow_null=True)
    reviewed_at = MomentField(allow_null=True)
    comment = serializers.CharField(allow_null=True)

    def get_fields(self) -> "dict[str, serializers.Field[Any, Any, Any, Any]]":
        # A word of Python's, and no name of an attribute.
        return {**super().get_fields(), "import": serializers.UUIDField(allow_null=True)}


class ReviewIn(StrictSerializer):
    """`ids` are of exceptions of the session, the business date unless said otherwise."""

    ids = serializers.ListField(
        child=TextField(max_length=160), min_length=1, max_length=MOST_AT_ONCE
    )
    comment = TextField(max_length=200)
    session = DayField(required=False)


def exception_row(each: Reviewed) -> Row:
    found, review = each.found, each.review
    return {
        "id": found.id,
        "kind": found.kind,
        "at": moment(found.at),
        "account": found.account,
        "ticker": found.ticker,
        "by": found.by,
        "detail": found.detail,
        "trade": found.trade,
        "version": found.version,
        "import": found.import_id,
        "reviewed_by": None if review is None else review.reviewed_by.get_username(),
        "reviewed_at": None if review is None else moment(review.recorded_at),
        "comment": None if review is None else review.comment,
    }


class ExceptionsView(APIView):
    pagination_class = ExceptionPages

    @extend_schema(
        operation_id="exceptions_list",
        summary="Exceptions of a session (permission `blotter.review_exceptions`)",
        description=_ABOUT,
        parameters=[ExceptionQuery],
        responses=ExceptionOut(many=True),
        examples=[EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        query, now = query_of(request, ExceptionQuery), clock.now()
        found = exceptions_of(
            request.user,
            session=session_asked(query.get("session"), now),
            now=now,
            accounts=query.get("account"),
            kinds=query.get("kind") or KINDS,
        )
        count = Counter(each.found.kind for each in found if each.review is None)
        wanted = query["reviewed"]
        if wanted is not None:
            found = [each for each in found if (each.review is not None) is wanted]
        listed = list(enumerate(found))
        page, answer = keyset_page(request, listed, key=lambda each: (f"{each[0]:06}",))
        answered = answer([exception_row(each) for _, each in page])
        answered.data["open"] = {kind: count[kind] for kind in KINDS if count[kind]}
        return answered


class ExceptionReviewView(APIView):
    @extend_schema(
        operation_id="exceptions_review",
        summary="Say that you reviewed exceptions (permission `blotter.review_exceptions`)",
        description="All or none. Nothing is taken away by a second review: the last one counts.",
        request=ReviewIn,
        responses={200: ExceptionOut(many=True)},
        examples=[EXAMPLE_REVIEW],
    )
    def post(self, request: Request) -> Response:
        given = ReviewIn(data=request.data)
        given.is_valid(raise_exception=True)
        said, now = given.validated_data, clock.now()
        reviewed = exceptions_review(
            user=caller(request),
            session=session_asked(said.get("session"), now),
            ids=said["ids"],
            comment=said["comment"],
            now=now,
        )
        return Response([exception_row(each) for each in reviewed])
