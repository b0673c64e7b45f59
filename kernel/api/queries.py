"""Query parameters, read as strictly as bodies."""

from typing import Any, cast

from django.contrib.auth.models import AbstractBaseUser
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from kernel.api.serializers import StrictSerializer

PAGING = {"page_size", "after", "before"}


def caller(request: Request) -> AbstractBaseUser:
    """Who asks. Every call but the token's needs one (DEFAULT_PERMISSION_CLASSES)."""
    return cast(AbstractBaseUser, request.user)


class QuerySerializer(StrictSerializer):
    """Declares the query parameters of a call. Repeatable ones are `ListField`s."""


def refuse_unknown(request: Request, known: set[str]) -> None:
    """Raise ValidationError for a parameter that would silently be passed over."""
    unknown = sorted(set(request.query_params) - known - PAGING)
    if unknown:
        named = f"Known: {', '.join(sorted(known))}." if known else "This call has none of its own."
        said = f"This parameter is not known. {named}"
        raise ValidationError({n[:64]: [said] for n in unknown[:20]}, code="unknown_field")


def query_of(request: Request, serializer: type[QuerySerializer]) -> dict[str, Any]:
    """The validated query of a request; raises ValidationError by parameter."""
    fields = serializer().fields
    refuse_unknown(request, set(fields))
    from rest_framework.serializers import ListField

    data = {
        name: request.query_params.getlist(name)
        if isinstance(field, ListField)
        else request.query_params[name]
        for name, field in fields.items()
        if name in request.query_params
    }
    checked = serializer(data=data)
    checked.is_valid(raise_exception=True)
    return dict(checked.validated_data)
