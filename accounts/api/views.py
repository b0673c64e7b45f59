"""The caller's accounts."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.selectors import account_rights
from kernel.api.pages import KeysetPages
from kernel.api.pagination import keyset_page
from kernel.api.queries import refuse_unknown


class AccountOut(serializers.Serializer[Any]):
    """An account and what the caller may do in it."""

    code = serializers.CharField(source="account.code")
    name = serializers.CharField(source="account.name")
    can_short = serializers.BooleanField(source="account.can_short")
    is_active = serializers.BooleanField(source="account.is_active")
    can_view = serializers.SerializerMethodField()
    can_book = serializers.BooleanField()
    can_correct = serializers.BooleanField()

    def get_can_view(self, rights: Any) -> bool:
        return True


EXAMPLE = OpenApiExample(
    "An account to book in",
    value={
        "code": "Test1",
        "name": "Test one",
        "can_short": True,
        "is_active": True,
        "can_view": True,
        "can_book": True,
        "can_correct": False,
    },
    response_only=True,
)


class AccountListView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="accounts_list",
        summary="The accounts that the caller may view",
        responses=AccountOut(many=True),
        examples=[EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        refuse_unknown(request, set())
        rights = account_rights(request.user)
        rights.sort(key=lambda r: r.account.code)
        page, answer = keyset_page(request, rights, key=lambda r: (r.account.code,))
        return answer(AccountOut(page, many=True).data)
