"""One request, one calendar."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from prices.sessions import read_once


class SessionsReadOnce:
    """A request reads the sessions once, however often they are asked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with read_once():
            return self.get_response(request)
