"""Calls of the API that belong to no app."""

from typing import Any, NoReturn

from django.contrib.auth import authenticate
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.authtoken.models import Token
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from eqtrade.system import system_state
from kernel.api.queries import refuse_unknown
from kernel.api.serializers import StrictSerializer, TextField
from kernel.errors import FieldError, Invalid, NotThere


class CredentialsIn(StrictSerializer):
    username = TextField(max_length=150)
    password = TextField(max_length=200, trim_whitespace=False)


class TokenOut(serializers.Serializer[Any]):
    token = serializers.CharField()


class TokenView(APIView):
    """A user has one token; asking again gives the same one."""

    authentication_classes = []
    permission_classes = []

    @extend_schema(
        operation_id="token",
        summary="A token for `Authorization: Token …`",
        request=CredentialsIn,
        responses=TokenOut,
        auth=[],
        examples=[
            OpenApiExample(
                "Demo user", value={"username": "trader", "password": "demo"}, request_only=True
            )
        ],
    )
    def post(self, request: Request) -> Response:
        given = CredentialsIn(data=request.data)
        given.is_valid(raise_exception=True)
        user = authenticate(request, **given.validated_data)
        if user is None:
            raise Invalid(FieldError("invalid_credentials", "User name or password is wrong."))
        token, _ = Token.objects.get_or_create(user=user)
        return Response({"token": token.key})


class SystemView(APIView):
    """For people on duty."""

    permission_classes = [IsAdminUser]

    @extend_schema(
        operation_id="system",
        summary="The state of the whole: readers, prices, queues, workers, and what is wrong",
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        refuse_unknown(request, set())
        return Response(system_state())


class ApiNotFoundView(APIView):
    """Unknown addresses below the API answer in the API's own form."""

    schema = None
    authentication_classes = []
    permission_classes = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotThere("There is no such address.")
