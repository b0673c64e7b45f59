"""Tags of a trade: added and removed."""

from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kernel.api.queries import caller
from kernel.api.serializers import StrictSerializer, TextField
from trades.api.examples import TRADE
from trades.api.rows import trade_out
from trades.api.serializers import TradeOut
from trades.models import LONGEST_TAG
from trades.services.tagging import MOST_TAGS, trade_tag


class TagsIn(StrictSerializer):
    """What is there already is not added again, and what is not there is not missed."""

    add = serializers.ListField(
        child=TextField(max_length=LONGEST_TAG), required=False, max_length=MOST_TAGS
    )
    remove = serializers.ListField(
        child=TextField(max_length=LONGEST_TAG), required=False, max_length=MOST_TAGS
    )


class TradeTagsView(APIView):
    @extend_schema(
        operation_id="trades_tag",
        summary="Add tags to a trade, or remove them",
        description="Beside the trade: no version, and no number changes. For who may book or"
        " correct in its account.",
        request=TagsIn,
        responses=TradeOut,
        examples=[
            OpenApiExample(
                "Tagged", value={"add": ["block"], "remove": ["check"]}, request_only=True
            ),
            OpenApiExample("Tagged", value={**TRADE, "tags": ["block"]}, response_only=True),
        ],
    )
    def post(self, request: Request, trade_id: UUID) -> Response:
        given = TagsIn(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        trade = trade_tag(
            user=caller(request), trade_id=trade_id,
            add=said.get("add", ()), remove=said.get("remove", ()),
        )  # fmt: skip
        return Response(trade_out(trade))
