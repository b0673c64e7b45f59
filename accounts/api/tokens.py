"""Tokens: one for a password, those that one has, and taking one back."""

from datetime import timedelta
from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import InsufficientScope
from accounts.callers import Credential
from accounts.models import LONGEST_LIFETIME, LONGEST_NAME, AccessToken, Scope
from accounts.second_factor import (
    LONGEST_CODE,
    SecondFactorMissing,
    code_tried,
    has_second_factor,
    is_missing,
)
from accounts.selectors import tokens_live
from accounts.services import USUAL_LIFETIME, token_create, token_revoke
from audit.context import known_as
from kernel import clock
from kernel.api.pages import KeysetPages
from kernel.api.pagination import keyset_page
from kernel.api.queries import caller, refuse_unknown
from kernel.api.serializers import OneOf, StrictSerializer, TextField, WholeNumber
from kernel.errors import FieldError, Invalid


def _seconds(lifetime: timedelta) -> int:
    return int(lifetime.total_seconds())


class CredentialsIn(StrictSerializer):
    username = TextField(max_length=150)
    password = TextField(max_length=200, trim_whitespace=False)
    code = TextField(
        max_length=LONGEST_CODE,
        required=False,
        allow_blank=True,
        help_text="Of the second factor, for a user who has one.",
    )
    name = TextField(max_length=LONGEST_NAME, required=False, allow_blank=True)
    scope = OneOf(Scope.choices, required=False, default=Scope.TRADE)
    expires_in = WholeNumber(
        required=False,
        min_value=1,
        max_value=_seconds(LONGEST_LIFETIME),
        default=_seconds(USUAL_LIFETIME),
        help_text="Seconds.",
    )


class NewTokenOut(serializers.Serializer[Any]):
    """`token` is the key, told this once."""

    token = serializers.CharField()
    id = serializers.IntegerField()
    scope = serializers.ChoiceField(Scope.choices)
    expires_at = serializers.DateTimeField()


class TokenOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    scope = serializers.ChoiceField(Scope.choices)
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="Within some minutes.")
    expires_at = serializers.DateTimeField()


class TokenView(APIView):
    authentication_classes = []

    @extend_schema(
        operation_id="token",
        summary="A new token for `Authorization: Token …`",
        description="A token of scope `read` may only read: anything else is 403"
        " `insufficient_scope`. It ends after 12 hours, or after `expires_in` seconds, or with the"
        " user's password. A user with a second factor sends its `code` too: 400 `code_missing`.",
        request=CredentialsIn,
        responses=NewTokenOut,
        auth=[],
        examples=[
            OpenApiExample(
                "Demo user", value={"username": "trader", "password": "demo"}, request_only=True
            ),
            OpenApiExample(
                "To read for 30 days",
                value={
                    "username": "trader",
                    "password": "demo",
                    "name": "nightly report",
                    "scope": "read",
                    "expires_in": 2_592_000,
                },
                request_only=True,
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        given = CredentialsIn(data=request.data)
        given.is_valid(raise_exception=True)
        asked = given.validated_data
        user = authenticate(request, username=asked["username"], password=asked["password"])
        if not isinstance(user, User):
            raise Invalid(FieldError("invalid_credentials", "User name or password is wrong."))
        _ask_code(request, user, asked.get("code", ""))
        with known_as(user):
            new = token_create(
                user=user,
                now=clock.now(),
                name=asked.get("name", ""),
                scope=asked["scope"],
                lifetime=timedelta(seconds=asked["expires_in"]),
            )
        return Response(NewTokenOut({"token": new.key, **_shown(new.token)}).data)


def _ask_code(request: Request, user: User, code: str) -> None:
    """Of who has a second factor; who has to and has none gets no token."""
    if is_missing(user):
        raise SecondFactorMissing
    if not has_second_factor(user):
        return
    if not code:
        said = "Send the code of your second factor too, or make the token on the page /tokens/."
        raise Invalid(FieldError("code_missing", said, "code"))
    if code_tried(request._request, user, code) is None:
        raise Invalid(FieldError("code_wrong", "This code is wrong, or was used already.", "code"))


def _shown(token: AccessToken) -> dict[str, Any]:
    return {"id": token.pk, "scope": token.scope, "expires_at": token.expires_at}


class TokenListView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="tokens_list",
        summary="The caller's own tokens that hold",
        responses=TokenOut(many=True),
        examples=[
            OpenApiExample(
                "A token to read with",
                value={
                    "id": 17,
                    "name": "nightly report",
                    "scope": "read",
                    "created_at": "2026-03-18T14:00:00Z",
                    "last_used_at": "2026-03-18T16:05:00Z",
                    "expires_at": "2026-04-17T14:00:00Z",
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        refuse_unknown(request, set())
        tokens = tokens_live(request.user, now=clock.now())
        page, answer = keyset_page(request, tokens, key=lambda t: (f"{t.id:020}",))
        return answer(TokenOut(page, many=True).data)


class TokenDetailView(APIView):
    # A program may take its own token back, whatever its scope.
    read_token_methods = ("DELETE",)

    @extend_schema(
        operation_id="tokens_revoke",
        summary="Take a token of one's own back",
        request=None,
        responses={204: OpenApiResponse(description="Nothing is let in with it any more")},
    )
    def delete(self, request: Request, token: int) -> Response:
        refuse_unknown(request, set())
        shown = request.auth
        if isinstance(shown, Credential) and shown.only_reads and shown.id != token:
            raise InsufficientScope
        token_revoke(user=caller(request), token=token)
        return Response(status=204)
