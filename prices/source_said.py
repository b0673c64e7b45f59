"""Where prices come from, said with every answer: nobody may take made-up ones for real."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from prices.marks import SIMULATED

HEADER = "X-Price-Source"


def source_said() -> str:
    """The current source's name; the simulated one's is meant to be seen."""
    source: str = settings.PRICE_SOURCE
    return source.upper() if source == SIMULATED else source


class PriceSourceSaid:
    """Each answer names its price source in a header, those without a field for it too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response[HEADER] = source_said()
        return response


def prices_are_simulated(request: HttpRequest) -> dict[str, bool]:
    """For templates."""
    return {"prices_are_simulated": settings.PRICE_SOURCE == SIMULATED}
