"""Keyset pagination: pages that cost the same however deep they are."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

Row = TypeVar("Row")

MAX_PAGE_SIZE = 1000


class KeysetPagination(CursorPagination):
    """For querysets of models with a UUID as their key, newest first."""

    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = MAX_PAGE_SIZE
    ordering = "-id"

    def get_page_size(self, request: Request) -> int:
        return page_size_of(request, self.page_size)

    def decode_cursor(self, request: Request) -> Any:
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            try:
                UUID(str(cursor.position))
            except ValueError as error:
                raise NotFound(self.invalid_cursor_message) from error
        return cursor


def page_size_of(request: Request, default: int) -> int:
    text = request.query_params.get("page_size", str(default))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MAX_PAGE_SIZE):
        raise ValidationError(
            {"page_size": [f"This must be a whole number from 1 to {MAX_PAGE_SIZE}."]}
        )
    return int(text)


def keyset_page(
    request: Request,
    rows: Sequence[Row],
    *,
    key: Callable[[Row], tuple[str, ...]],
    default_size: int = MAX_PAGE_SIZE,
    more_before: bool = False,
    more_after: bool = False,
) -> tuple[Sequence[Row], Callable[[Any], Response]]:
    """One page of rows that are sorted by `key` (unique, ascending), and how to answer with it.
    `rows` may be a part that holds the page and one row more; `more_before` and `more_after` say
    that there may be others around it."""
    size = page_size_of(request, default_size)
    after, before = cursor_of(request, "after"), cursor_of(request, "before")
    keys = [key(row) for row in rows]
    start = 0
    if after is not None:
        start = next((i for i, k in enumerate(keys) if k > after), len(rows))
    elif before is not None:
        end = next((i for i, k in enumerate(keys) if k >= before), len(rows))
        start = max(0, end - size)
    page = rows[start : start + size]
    here = remove_query_param(remove_query_param(request.build_absolute_uri(), "after"), "before")
    more = start + size < len(rows) or (more_after and bool(page))
    last = start + len(page) - 1
    following = replace_query_param(here, "after", _write(keys[last])) if more else None
    earlier = (more_before or start > 0) and start < len(rows)
    previous = replace_query_param(here, "before", _write(keys[start])) if earlier else None

    def answer(results: Any) -> Response:
        return Response({"next": following, "previous": previous, "results": results})

    return page, answer


def _write(key: tuple[str, ...]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def cursor_of(request: Request, name: str) -> tuple[str, ...] | None:
    """The key that `after` or `before` names, or None; raises ValidationError for what is none."""
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        value = json.loads(base64.urlsafe_b64decode(text.encode()))
    except (ValueError, binascii.Error) as error:
        raise ValidationError({name: ["This is no cursor."]}) from error
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise ValidationError({name: ["This is no cursor."]})
    return tuple(value)
