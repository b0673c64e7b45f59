"""The price source in words: nobody may take made-up prices for real."""

from django.conf import settings
from django.http import HttpRequest

from prices.marks import SIMULATED


def source_said() -> str:
    """The current source's name; the simulated one's is meant to be seen."""
    source: str = settings.PRICE_SOURCE
    return source.upper() if source == SIMULATED else source


def prices_are_simulated(request: HttpRequest) -> dict[str, bool]:
    """For templates."""
    return {"prices_are_simulated": settings.PRICE_SOURCE == SIMULATED}
