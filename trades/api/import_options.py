"""The options of an upload: they say how a file of trades is to be read."""

import json
import re
from typing import Any, NoReturn
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from kernel.api.exceptions import PayloadTooLarge
from kernel.api.serializers import OneOf, StrictSerializer, TextField, is_storable
from trades.imports.mappings import said_with
from trades.imports.reading.dates import ORDERS
from trades.imports.reading.names import READ
from trades.imports.reading.numbers import COMMA, POINT
from trades.imports.reading.plan import NEWEST_FIRST, OLDEST_FIRST
from trades.imports.reading.profiles import PROFILES
from trades.imports.reading.reading import Options

MAX_GROUP = 10_000
# What multipart adds around the file.
ENVELOPE_BYTES = 64 * 1024
UPLOAD_PART = 256 * 1024
MAX_COLUMNS = 200


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": MAX_GROUP, "default": 100})
class WholeText(serializers.Field[int, Any, int, Any]):
    """A whole number as a form sends it."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, str) or not re.fullmatch("[0-9]{1,5}", data, re.A):
            self._refuse()
        if not 1 <= int(data) <= MAX_GROUP:
            self._refuse()
        return int(data)

    def _refuse(self) -> NoReturn:
        raise serializers.ValidationError(
            f"This must be a whole number from 1 to {MAX_GROUP:,}.", code="invalid"
        )

    def to_representation(self, value: int) -> int:
        return value


@extend_schema_field({"type": "boolean", "default": False})
class FlagText(serializers.Field[bool, Any, bool, Any]):
    """`true` or `false` as a form sends it."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, str) or data.lower() not in ("true", "false", "1", "0"):
            raise serializers.ValidationError("This must be true or false.", code="invalid")
        return data.lower() in ("true", "1")

    def to_representation(self, value: bool) -> bool:
        return value


@extend_schema_field({"type": "string"})
class ZoneText(serializers.Field[str, Any, str, Any]):
    """The name of a time zone, such as Europe/London."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in available_timezones():
            raise serializers.ValidationError(
                "This must be the name of a time zone, such as Europe/London.", code="invalid"
            )
        return ZoneInfo(data).key

    def to_representation(self, value: str) -> str:
        return value


@extend_schema_field({"type": "string"})
class MappingText(serializers.Field[Any, Any, Any, Any]):
    """The name of a saved mapping, or an object in JSON: by the name of a column, or # and its
    number from 1, the field that it means, or null to pass it over; "*": null passes over all that
    are not known."""

    _name = TextField()

    def to_internal_value(self, data: Any) -> str | dict[str, str | None]:
        if isinstance(data, str) and not data.lstrip().startswith("{"):
            return self._name.to_internal_value(data).strip()
        try:
            found = json.loads(data) if isinstance(data, str) else data
        except (ValueError, RecursionError):
            self._refuse()
        if not isinstance(found, dict) or len(found) > MAX_COLUMNS:
            self._refuse()
        return mapping_checked(found)

    def _refuse(self) -> NoReturn:
        raise serializers.ValidationError(
            'This must be an object in JSON, such as {"Qty": "quantity", "Fee": null}.',
            code="invalid",
        )

    def to_representation(self, value: Any) -> Any:
        return value


def mapping_checked(found: dict[Any, Any]) -> dict[str, str | None]:
    if not all(map(is_storable, found)):
        raise serializers.ValidationError(
            "The name of a column holds what is no text.", code="invalid"
        )
    for column, field in found.items():
        if (field is not None and field not in READ) or len(str(column)) > 200:
            raise serializers.ValidationError(
                f"A column means one of {', '.join(READ)}, or null.", code="unknown_field"
            )
    return {str(column): field for column, field in found.items()}


class ReadAs(StrictSerializer):
    """What is said of a file; what is not said is found in it."""

    profile = OneOf([each.name for each in PROFILES], required=False)
    mapping = MappingText(required=False)
    timezone = ZoneText(required=False)
    date_order = OneOf(ORDERS, required=False)
    decimal = OneOf([POINT, COMMA], required=False)
    account = TextField(max_length=32, required=False)
    order = OneOf([OLDEST_FIRST, NEWEST_FIRST], required=False)


class OptionsIn(ReadAs):
    """A file, and what is said of it."""

    file = serializers.FileField(allow_empty_file=True)


def options_said(user: AbstractBaseUser, given: dict[str, Any]) -> Options:
    said = said_with(user, given)
    return Options(
        profile=said.get("profile"),
        mapping=said.get("mapping"),
        timezone=said.get("timezone"),
        date_order=said.get("date_order"),
        decimal=said.get("decimal"),
        account=said.get("account"),
        order=said.get("order"),
    )


def refuse_large(size: str, envelope: int) -> None:
    limit = settings.IMPORT_MAX_BYTES
    if int(size) > limit + envelope:
        raise PayloadTooLarge(f"The file is larger than {limit:,} bytes: split it.")
