"""Ways to read a file, saved under a name."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kernel import clock
from kernel.api.queries import caller
from kernel.api.rows import Row, moment
from kernel.api.serializers import MomentField
from kernel.errors import FieldError, Invalid
from trades.api.import_options import MappingText, ReadAs, mapping_checked
from trades.imports.mappings import SAID, mapping_delete, mapping_save, mappings_of
from trades.models import ImportMapping

LONGEST_NAME = 64


@extend_schema_field(
    {"type": "object", "additionalProperties": {"type": "string", "nullable": True}}
)
class MappingObject(MappingText):
    """The same as JSON."""

    def to_internal_value(self, data: Any) -> dict[str, str | None]:
        if not isinstance(data, dict):
            self._refuse()
        return mapping_checked(data)


class MappingIn(ReadAs):
    mapping = MappingObject(required=False)


class MappingOut(serializers.Serializer[Any]):
    """What was not said is null."""

    name = serializers.CharField()
    saved_at = MomentField()
    profile = serializers.CharField(allow_null=True)
    mapping = serializers.DictField(allow_null=True)
    timezone = serializers.CharField(allow_null=True)
    date_order = serializers.CharField(allow_null=True)
    decimal = serializers.CharField(allow_null=True)
    account = serializers.CharField(allow_null=True)
    order = serializers.CharField(allow_null=True)


EXAMPLE = {
    "name": "our broker", "saved_at": "2026-03-18T16:00:00Z", "profile": None,
    "mapping": {"Qty": "quantity", "Fee": None}, "timezone": "Europe/London", "date_order": "dmy",
    "decimal": ".", "account": "Test1", "order": None,
}  # fmt: skip


def _row(saved: ImportMapping) -> Row:
    said = {of: saved.said.get(of) for of in SAID}
    return {"name": saved.name, "saved_at": moment(saved.saved_at), **said}


class ImportMappingsView(APIView):
    @extend_schema(
        operation_id="imports_mappings",
        summary="Your saved ways to read a file, by name",
        responses=MappingOut(many=True),
        examples=[OpenApiExample("One of them", value=[EXAMPLE], response_only=True)],
    )
    def get(self, request: Request) -> Response:
        return Response([_row(saved) for saved in mappings_of(caller(request))])


class ImportMappingView(APIView):
    @extend_schema(
        operation_id="imports_mapping_save",
        summary="Save a way to read a file",
        description="Over one of that name. A preview and an import take the name as `mapping`;"
        " what else they say comes before what was saved.",
        request=MappingIn,
        responses=MappingOut,
        examples=[OpenApiExample("Saved", value=EXAMPLE, response_only=True)],
    )
    def put(self, request: Request, name: str) -> Response:
        given = MappingIn(data=request.data)
        given.is_valid(raise_exception=True)
        if len(name) > LONGEST_NAME or not name.isprintable() or name.startswith("{"):
            detail = f"A name has at most {LONGEST_NAME} characters, and begins with no brace."
            raise Invalid(FieldError("invalid", detail, "name"))
        saved = mapping_save(
            user=caller(request), name=name, said=given.validated_data, now=clock.now()
        )
        return Response(_row(saved))

    @extend_schema(
        operation_id="imports_mapping_delete",
        summary="Delete a saved way to read a file",
        responses={204: None},
    )
    def delete(self, request: Request, name: str) -> Response:
        mapping_delete(user=caller(request), name=name)
        return Response(status=204)
