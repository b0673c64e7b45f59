"""System checks of the price settings: wrong ones are refused at the start, not at night."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from prices.sources import SOURCES


@register()
def price_source(**_: Any) -> list[CheckMessage]:
    """PRICE_SOURCE is known, and a csv one has a file to read."""
    name = settings.PRICE_SOURCE
    if name not in SOURCES:
        return [
            Error(
                f"PRICE_SOURCE={name!r} is not known.",
                hint=f"Use one of {', '.join(SOURCES)}.",
                id="prices.E001",
            )
        ]
    file = getattr(settings, "PRICE_FILE", "") or ""
    if name == "csv" and not Path(file or "missing").is_file():
        return [
            Error(
                f"PRICE_SOURCE=csv reads PRICE_FILE, and there is no file {file!r}.",
                hint="Columns: ticker,session,close for closes and ticker,as_of,price for quotes.",
                id="prices.E002",
            )
        ]
    return []
