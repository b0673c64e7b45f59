"""A user's named views of the page."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from blotter.models import SavedView
from blotter.saved_views import (
    LARGEST,
    MOST,
    MOST_ACCOUNTS,
    Wanted,
    accounts_shown,
    view_by_link,
    view_delete,
    view_save,
    views_of,
)
from kernel import clock
from kernel.api.pages import KeysetPages
from kernel.api.pagination import keyset_page
from kernel.api.queries import QuerySerializer, caller, query_of, refuse_unknown
from kernel.api.rows import Row, moment
from kernel.api.serializers import FlagField, MomentField, StrictSerializer, TextField

LONGEST_NAME = 64

VIEW = {
    "id": "6f2b1c0e-3d52-4c3a-9b6e-5a0d7c1f8e44",
    "name": "Shorts by ticker",
    "owner": "trader",
    "accounts": ["Test1", "Test2"],
    "state": {"address": {"group": "ticker"}, "columns": {"positions-grid": []}},
    "is_default": True,
    "is_shared": False,
    "saved_at": "2026-03-18T16:00:00Z",
}
EXAMPLE = OpenApiExample("A view", value=VIEW, response_only=True)


class StateField(serializers.JSONField):
    """An object of JSON: what the page keeps, as it is."""

    default_error_messages = {"not_an_object": "This must be an object."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("not_an_object")
        return dict(data)


class ViewIn(StrictSerializer):
    """`accounts` left out or null: all that whoever looks may view."""

    name = TextField(max_length=LONGEST_NAME)
    accounts = serializers.ListField(
        child=TextField(max_length=32), required=False, allow_null=True, max_length=MOST_ACCOUNTS
    )
    state = StateField(help_text=f"At most {LARGEST:,} bytes.")
    is_default = FlagField(required=False)
    is_shared = FlagField(required=False, help_text="Whoever has its link may look at it.")


class ViewQuery(QuerySerializer):
    name = TextField(max_length=LONGEST_NAME)


class ViewOut(serializers.Serializer[Any]):
    """`accounts` are those that the caller may view; null: all of them."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    owner = serializers.CharField()
    accounts = serializers.ListField(child=serializers.CharField(), allow_null=True)
    state = serializers.DictField()
    is_default = serializers.BooleanField()
    is_shared = serializers.BooleanField()
    saved_at = MomentField()


def _row(view: SavedView, accounts: list[str] | None) -> Row:
    return {
        "id": view.pk,
        "name": view.name,
        "owner": view.user.get_username(),
        "accounts": accounts,
        "state": view.state,
        "is_default": view.is_default,
        "is_shared": view.is_shared,
        "saved_at": moment(view.saved_at),
    }


class SavedViewsView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="views_list",
        summary="Your saved views of the page, by name",
        responses=ViewOut(many=True),
        examples=[EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        refuse_unknown(request, set())
        user = caller(request)
        page, answer = keyset_page(request, views_of(user), key=lambda view: (view.name,))
        return answer([_row(view, accounts_shown(user, view)) for view in page])

    @extend_schema(
        operation_id="views_save",
        summary="Save a view of the page",
        description=f"Over your own of that name, whose link stays. At most {MOST}; one is the"
        " default.",
        request=ViewIn,
        responses=ViewOut,
        examples=[
            EXAMPLE,
            OpenApiExample(
                "To save",
                value={name: VIEW[name] for name in ("name", "accounts", "state", "is_default")},
                request_only=True,
            ),
        ],
    )
    def put(self, request: Request) -> Response:
        given = ViewIn(data=request.data)
        given.is_valid(raise_exception=True)
        user = caller(request)
        view = view_save(user=user, wanted=Wanted(**given.validated_data), now=clock.now())
        return Response(_row(view, accounts_shown(user, view)))

    @extend_schema(
        operation_id="views_delete",
        summary="Delete one of your saved views",
        parameters=[ViewQuery],
        responses={204: None},
    )
    def delete(self, request: Request) -> Response:
        view_delete(user=caller(request), name=query_of(request, ViewQuery)["name"])
        return Response(status=204)


class SavedViewView(APIView):
    @extend_schema(
        operation_id="views_by_link",
        summary="One of your own views, or one that somebody shares",
        responses=ViewOut,
        examples=[EXAMPLE],
    )
    def get(self, request: Request, view_id: UUID) -> Response:
        refuse_unknown(request, set())
        user = caller(request)
        view = view_by_link(user, view_id)
        return Response(_row(view, accounts_shown(user, view)))
