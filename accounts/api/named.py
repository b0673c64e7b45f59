"""Strategies and counterparties: listed to everybody, added by who may."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Counterparty, Named, Strategy
from accounts.services import named_add
from kernel.api.pages import KeysetPages
from kernel.api.pagination import keyset_page
from kernel.api.queries import refuse_unknown
from kernel.api.serializers import StrictSerializer, TextField

LONGEST_CODE, LONGEST_NAME = 32, 120


class NamedIn(StrictSerializer):
    """A code that stays, of letters, digits, points, hyphens and underscores; and a name."""

    code = TextField(max_length=LONGEST_CODE)
    name = TextField(max_length=LONGEST_NAME, required=False)


class NamedOut(serializers.Serializer[Any]):
    """An inactive one is named by no new trade; those that name it keep it."""

    code = serializers.CharField()
    name = serializers.CharField()
    is_active = serializers.BooleanField()


EXAMPLE = OpenApiExample(
    "One", value={"code": "ALPHA", "name": "Statistical arbitrage", "is_active": True},
    response_only=True,
)  # fmt: skip
EXAMPLE_IN = OpenApiExample(
    "One", value={"code": "ALPHA", "name": "Statistical arbitrage"}, request_only=True
)


class _NamedListView(APIView):
    pagination_class = KeysetPages
    kind: ClassVar[type[Named]]

    def get(self, request: Request) -> Response:
        refuse_unknown(request, set())
        found = sorted(self.kind._default_manager.all(), key=lambda each: each.code)
        page, answer = keyset_page(request, found, key=lambda each: (each.code,))
        return answer(NamedOut(page, many=True).data)

    def post(self, request: Request) -> Response:
        given = NamedIn(data=request.data)
        given.is_valid(raise_exception=True)
        return Response(NamedOut(named_add(self.kind, **given.validated_data)).data, status=201)


class StrategyListView(_NamedListView):
    kind = Strategy

    @extend_schema(
        operation_id="strategies_list", summary="Strategies, by code",
        responses=NamedOut(many=True), examples=[EXAMPLE],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        return super().get(request)

    @extend_schema(
        operation_id="strategies_add",
        summary="Add a strategy (permission `accounts.add_strategy`)",
        request=NamedIn, responses={201: NamedOut}, examples=[EXAMPLE, EXAMPLE_IN],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        return super().post(request)


class CounterpartyListView(_NamedListView):
    kind = Counterparty

    @extend_schema(
        operation_id="counterparties_list", summary="Counterparties, by code",
        responses=NamedOut(many=True), examples=[EXAMPLE],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        return super().get(request)

    @extend_schema(
        operation_id="counterparties_add",
        summary="Add a counterparty (permission `accounts.add_counterparty`)",
        request=NamedIn, responses={201: NamedOut}, examples=[EXAMPLE, EXAMPLE_IN],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        return super().post(request)
