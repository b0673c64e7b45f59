"""Keyset pagination: pages that cost the same however deep they are."""

import base64
import json
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

Row = TypeVar("Row")

MAX_PAGE_SIZE = 1000


def page_size_of(request: Request, default: int) -> int:
    text = request.query_params.get("page_size", str(default))
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(MAX_PAGE_SIZE))
    if not (is_number and 1 <= int(text) <= MAX_PAGE_SIZE):
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


def keyset_read(
    request: Request,
    read: Callable[[int, UUID | None, UUID | None], list[Row]],
    *,
    key: Callable[[Row], UUID],
    default_size: int,
) -> tuple[Sequence[Row], Callable[[Any], Response]]:
    """One page of rows that are read as they are asked for, and how to answer with it.

    `read(limit, after, before)` gives at most `limit` rows in the list's order, beginning after
    `after`, or ending before `before`, or at the list's beginning when both are None.
    """
    size = page_size_of(request, default_size)
    after, before = _read_uuid(request, "after"), _read_uuid(request, "before")
    if after is not None and before is not None:
        raise ValidationError({"before": ["Give after or before, not both."]})
    found = read(size + 1, after, before)
    more = len(found) > size
    page = found[-size:] if before is not None else found[:size]
    here = remove_query_param(remove_query_param(request.build_absolute_uri(), "after"), "before")

    def link(name: str, row: Row) -> str:
        return str(replace_query_param(here, name, _write((str(key(row)),))))

    has_next = more if before is None else bool(page)
    has_previous = more if before is not None else after is not None and bool(page)
    following = link("after", page[-1]) if has_next else None
    previous = link("before", page[0]) if has_previous else None

    def answer(results: Any) -> Response:
        return Response({"next": following, "previous": previous, "results": results})

    return page, answer


def _read_uuid(request: Request, name: str) -> UUID | None:
    text = request.query_params.get(name, "")
    try:
        # An id that the caller has from elsewhere, as of a trade on the websocket.
        return UUID(text)
    except ValueError:
        key = cursor_of(request, name)
    if key is None:
        return None
    try:
        (text,) = key
        return UUID(text)
    except ValueError as error:
        raise ValidationError({name: ["This is no cursor."]}) from error


def _write(key: tuple[str, ...]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def cursor_of(request: Request, name: str) -> tuple[str, ...] | None:
    """The key that `after` or `before` names, or None; raises ValidationError for what is none."""
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        value = json.loads(base64.urlsafe_b64decode(text.encode()))
    except (ValueError, RecursionError) as error:
        raise ValidationError({name: ["This is no cursor."]}) from error
    if not isinstance(value, list) or not value or not all(map(_is_plain, value)):
        raise ValidationError({name: ["This is no cursor."]})
    return tuple(value)


def _is_plain(value: Any) -> bool:
    """Whether it is text that the database takes: no control characters, no unpaired surrogates."""
    if not isinstance(value, str):
        return False
    return not any(unicodedata.category(c) in ("Cc", "Cs") for c in value)
