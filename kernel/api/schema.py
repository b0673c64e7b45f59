"""Shapes of answers that drf-standardized-errors has no schema for."""

from typing import Any

from rest_framework import serializers


class ErrorOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()
    attr = serializers.CharField(allow_null=True)


class ClientErrorOut(serializers.Serializer[Any]):
    type = serializers.ChoiceField(choices=["client_error"])
    errors = ErrorOut(many=True)


class ServerErrorOut(serializers.Serializer[Any]):
    type = serializers.ChoiceField(choices=["server_error"])
    errors = ErrorOut(many=True)
