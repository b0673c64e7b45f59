"""Shapes of answers that drf-standardized-errors has no schema for."""

from typing import Any

from rest_framework import serializers


class ErrorOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()
    attr = serializers.CharField(allow_null=True)


def _answer(error_type: str) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    # `errors` is a name of Serializer's own, so these fields are not class attributes.
    return {
        "type": serializers.ChoiceField(choices=[error_type]),
        "errors": ErrorOut(many=True),
    }


class ClientErrorOut(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return _answer("client_error")


class ServerErrorOut(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return _answer("server_error")
