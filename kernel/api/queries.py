"""Query parameters, read as strictly as bodies."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, cast

from django.contrib.auth.models import AbstractBaseUser
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.serializers import ListField

from kernel.api.serializers import StrictSerializer

PAGING = {"page_size", "after", "before"}


def caller(request: Request) -> AbstractBaseUser:
    """Who asks. Every call but the token's needs one (DEFAULT_PERMISSION_CLASSES)."""
    return cast(AbstractBaseUser, request.user)


class QuerySerializer(StrictSerializer):
    """Declares the query parameters of a call. Repeatable ones are `ListField`s."""


def refuse_unknown(request: Request, known: set[str]) -> None:
    """Raise ValidationError for a parameter that would silently be passed over."""
    _refuse_unknown(request.query_params, known)


def _refuse_unknown(given: Iterable[str], known: set[str]) -> None:
    unknown = sorted(set(given) - known - PAGING)
    if unknown:
        named = f"Known: {', '.join(sorted(known))}." if known else "This call has none of its own."
        said = f"This parameter is not known. {named}"
        raise ValidationError({n[:64]: [said] for n in unknown[:20]}, code="unknown_field")


def query_of(request: Request, serializer: type[QuerySerializer]) -> dict[str, Any]:
    """The validated query of a request; raises ValidationError by parameter. Its values are shared
    with other requests of the same query: nobody changes them."""
    given = tuple((name, tuple(values)) for name, values in request.query_params.lists())
    return dict(_checked(serializer, given))


@lru_cache(1024)
def _checked(
    serializer: type[QuerySerializer], given: tuple[tuple[str, tuple[str, ...]], ...]
) -> dict[str, Any]:
    """Pages ask the same again and again, and what is asked means the same each time."""
    fields = serializer().fields
    _refuse_unknown((name for name, _ in given), set(fields))
    data = {
        name: list(values) if isinstance(fields[name], ListField) else values[-1]
        for name, values in given
        if name in fields
    }
    checked = serializer(data=data)
    checked.is_valid(raise_exception=True)
    return dict(checked.validated_data)
