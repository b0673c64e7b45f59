"""Middleware: a request reads the calendar once, and every answer names its price source."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from prices.sessions import read_once
from prices.source_said import source_said

PRICE_SOURCE_HEADER = "X-Price-Source"


class SessionsReadOnce:
    """A request reads the sessions once, however often they are asked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with read_once():
            return self.get_response(request)


class PriceSourceSaid:
    """Each answer names its price source in a header, those without a field for it too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response[PRICE_SOURCE_HEADER] = source_said()
        return response
