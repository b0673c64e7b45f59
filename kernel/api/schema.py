"""The schema's description of refusals: one shape for all of them."""

from typing import Any

from drf_standardized_errors.openapi import AutoSchema as BaseAutoSchema
from rest_framework import serializers

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


class ErrorOut(serializers.Serializer[Any]):
    """`attr` names what is wrong as the caller sent it, rows by number: `trades.3.price`."""

    code = serializers.CharField()
    detail = serializers.CharField()
    attr = serializers.CharField(allow_null=True)


def _answer(*error_types: str) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    # `errors` is a name of Serializer's own, so these fields are not class attributes.
    return {
        "type": serializers.ChoiceField(choices=error_types),
        "errors": ErrorOut(many=True),
    }


class BadRequestOut(serializers.Serializer[Any]):
    """`client_error`: the body is no JSON; `validation_error`: something in it is wrong."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return _answer("validation_error", "client_error")


class ClientErrorOut(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return _answer("client_error")


class ConflictOut(serializers.Serializer[Any]):
    """`confirmation_required`: this is unusual; the same call with `confirm` as given here goes
    through, once and within five minutes. `client_error`: it conflicts with what is there."""

    confirm = serializers.CharField(required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {**_answer("client_error", "confirmation_required"), **super().get_fields()}


class ServerErrorOut(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return _answer("server_error")


class AutoSchema(BaseAutoSchema):
    """Names the refusals that a call can really give: any call can refuse its query (an unknown
    parameter) or be beyond its caller's budget, any that changes something can conflict, be too
    large, or lack the right."""

    def _get_paginator(self) -> Any:
        """Lists come in pages where they are read; what a change answers with comes whole."""
        return None if self.method in UNSAFE else super()._get_paginator()  # type: ignore[no-untyped-call]

    def _should_add_error_response(self, responses: dict[str, Any], status_code: str) -> bool:
        if status_code in ("400", "429"):
            return status_code not in responses
        if status_code in ("403", "409", "413") and self.method not in UNSAFE:
            wanted = status_code == "403" and self._should_add_http403_error_response()
            return bool(wanted) and status_code not in responses
        if status_code == "403":
            return bool(self.get_auth()) and "403" not in responses
        return bool(super()._should_add_error_response(responses, status_code))
