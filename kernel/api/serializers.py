"""Fields and serializers that take nothing they were not asked for."""

import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from kernel.errors import shown
from kernel.moments import moment_text, read_day, read_moment
from kernel.money import MAX_DECIMALS, AmountRefused, amount_of, plain

MAX_UNKNOWN_NAMED = 20


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses unknown fields by name. An optional field that is null counts as not sent."""

    def to_internal_value(self, data: Any) -> Any:
        errors: dict[str, Any] = {}
        if isinstance(data, dict):
            unknown = sorted(shown(str(k)) for k in set(data) - set(self.fields))
            problem = ErrorDetail("This field is not known.", code="unknown_field")
            errors = {name: [problem] for name in unknown[:MAX_UNKNOWN_NAMED]}
            optional = {name for name, field in self.fields.items() if not field.required}
            data = {k: v for k, v in data.items() if v is not None or k not in optional}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if isinstance(error.detail, dict):
                raise serializers.ValidationError({**error.detail, **errors}) from error
            raise
        if errors:
            raise serializers.ValidationError(errors)
        return value


def is_storable(text: str) -> bool:
    """Whether the database can hold it. A line feed within a name of a column, say, it can."""
    return "\x00" not in text and not any(unicodedata.category(c) == "Cs" for c in text)


class TextField(serializers.CharField):
    """Text without control characters or unpaired surrogates; numbers are no text."""

    default_error_messages = {
        "not_text": "This must be text.",
        "control": "Control characters are not allowed.",
        "surrogate": "Unpaired surrogates are not allowed.",
    }

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("not_text")
        if any(unicodedata.category(c) == "Cs" for c in data):
            self.fail("surrogate")
        if any(unicodedata.category(c) == "Cc" for c in data):
            self.fail("control")
        return str(super().to_internal_value(data))

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, str) and (any(unicodedata.category(c) in ("Cs", "Cc") for c in data)):
            self.to_internal_value(data)
        return super().run_validation(data)


class OneOf(serializers.ChoiceField):
    """One of few words, as they are written. What else was sent is not repeated: it may hold
    anything, surrogates included, which no answer can say."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self.choices:
            *others, last = map(str, self.choices)
            said = f"This must be {', '.join(others)} or {last}."
            raise serializers.ValidationError(said, code="invalid_choice")
        return data


class WholeNumber(serializers.IntegerField):
    """JSON's whole numbers only: no text, no booleans, no fractions."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class FlagField(serializers.BooleanField):
    """JSON's true and false only: no text, no numbers."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=type(data).__name__)
        return data


@extend_schema_field(
    {
        "type": "string",
        "format": "decimal",
        "pattern": rf"^[0-9]{{1,10}}(\.[0-9]{{1,{MAX_DECIMALS}}})?$",
        "example": "10.50",
    }
)
class AmountField(serializers.Field[Decimal, Any, str, Any]):
    """An amount: plain notation, at most 10 decimals and 1,000,000,000; positive, unless another
    function than `amount_of` is to read it."""

    def __init__(self, *, read: Callable[[object], Decimal] = amount_of, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._read = read

    def to_internal_value(self, data: Any) -> Decimal:
        try:
            return self._read(data)
        except AmountRefused as refusal:
            raise serializers.ValidationError(refusal.detail, code=refusal.code) from refusal

    def to_representation(self, value: Decimal) -> str:
        return plain(value)


@extend_schema_field({"type": "string", "format": "decimal", "example": "7424.40"})
class DecimalText(serializers.Field[Decimal, Any, str, Any]):
    """An exact decimal as text in plain notation."""

    def to_representation(self, value: Decimal) -> str:
        return plain(value)


@extend_schema_field({"type": "string", "format": "date"})
class DayField(serializers.Field[date, Any, str, Any]):
    default_error_messages = {"malformed": "This must be a date, such as 2026-01-31."}

    def to_internal_value(self, data: Any) -> date:
        if not isinstance(data, str):
            self.fail("malformed")
        try:
            return read_day(data)
        except ValueError:
            self.fail("malformed")

    def to_representation(self, value: date) -> str:
        return value.isoformat()


@extend_schema_field({"type": "string", "format": "date-time"})
class MomentField(serializers.Field[datetime, Any, str, Any]):
    """A time with an offset."""

    default_error_messages = {
        "malformed": "This must be a time with an offset, such as 2026-01-31T10:00:00-05:00."
    }

    def to_internal_value(self, data: Any) -> datetime:
        if not isinstance(data, str):
            self.fail("malformed")
        try:
            return read_moment(data)
        except ValueError:
            self.fail("malformed")

    def to_representation(self, value: datetime) -> str:
        return moment_text(value.astimezone(UTC))


class ConfirmField(TextField):
    """The token of an answer that asked for a confirmation (`kernel.confirmation`)."""

    def __init__(self, **more: Any) -> None:
        given = {"required": False, "max_length": 1_000, "help_text": _CONFIRM, **more}
        super().__init__(**given)


_CONFIRM = "The `confirm` of a 409 `confirmation_required` to the same call."
