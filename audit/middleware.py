"""Remembers the request for what is recorded while it is answered, and says it when a file is one
too many."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from audit.context import request_begins, request_ends
from audit.exports import TooManyExports


class Audited:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = request_begins(request)
        try:
            return self.get_response(request)
        finally:
            request_ends(token)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Of pages; REST has its own."""
        if not isinstance(error, TooManyExports):
            return None
        again = {"Retry-After": str(error.retry_after)}
        return HttpResponse(
            error.detail, status=error.status, content_type="text/plain", headers=again
        )
