"""The form of an answer: JSON, the only one of nearly every call."""

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

_ANYTHING = ("", "*/*", "application/json", "application/json, */*;q=0.8")


class QuickNegotiation(DefaultContentNegotiation):
    """As REST framework has it, without reading headers that leave no choice: what nearly every
    program sends asks for JSON or for anything."""

    def select_renderer(
        self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None
    ) -> tuple[Any, str]:
        offered = list(renderers)
        first = offered[0]
        if (
            format_suffix is None
            and first.media_type == "application/json"
            and request.META.get("HTTP_ACCEPT", "") in _ANYTHING
            and not request.META.get("QUERY_STRING")
        ):
            return first, first.media_type
        found: tuple[Any, str] = super().select_renderer(request, offered, format_suffix)
        return found
