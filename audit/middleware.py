"""Remembers the request for what is recorded while it is answered."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from audit.context import request_begins, request_ends


class Audited:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = request_begins(request)
        try:
            return self.get_response(request)
        finally:
            request_ends(token)
