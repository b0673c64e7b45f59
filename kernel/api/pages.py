"""The schema's description of lists that `kernel.api.pagination.keyset_page` answers with."""

from typing import Any

from rest_framework.pagination import BasePagination

from kernel.api.pagination import MAX_PAGE_SIZE

# Without examples of their own, no example of a row could be shown within a page.
_NEXT = {"type": "string", "format": "uri", "nullable": True, "example": "…?after=WyJJQk0iXQ=="}
_PREVIOUS = {**_NEXT, "example": "…?before=WyJJQk0iXQ=="}


class KeysetPages(BasePagination):
    """A view names it as its `pagination_class`; only the schema reads it."""

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": _NEXT, "previous": _PREVIOUS, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        size = {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": MAX_PAGE_SIZE}
        cursor = {"type": "string"}
        return [
            _parameter("page_size", size, "Rows a page."),
            _parameter("after", cursor, "As `next` gives it."),
            _parameter("before", cursor, "As `previous` gives it."),
        ]


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {
        "name": name,
        "required": False,
        "in": "query",
        "description": description,
        "schema": schema,
    }
