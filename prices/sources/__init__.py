"""Price sources: one at a time, named by the setting PRICE_SOURCE."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from prices.sources.base import (
    FailureKind,
    PriceSource,
    SourceClose,
    SourceEvent,
    SourceQuote,
    SourceUnavailable,
)
from prices.sources.csvfile import CsvSource
from prices.sources.simulated import SimulatedSource, confirmed_splits
from prices.sources.yahoo import YahooSource
from prices.sources.yfinance_client import YahooClient

__all__ = [
    "SOURCES",
    "FailureKind",
    "PriceSource",
    "SourceClose",
    "SourceEvent",
    "SourceQuote",
    "SourceUnavailable",
    "source",
]

SOURCES = ("simulated", "yahoo", "csv")


def source() -> PriceSource:
    """The source of settings.PRICE_SOURCE. Raises ImproperlyConfigured for an unknown name."""
    return _source(
        settings.PRICE_SOURCE, settings.PRICE_SEED, getattr(settings, "PRICE_FILE", "") or ""
    )


@lru_cache(maxsize=8)
def _source(name: str, seed: int, file: str) -> PriceSource:
    if name == "simulated":
        return SimulatedSource(seed, confirmed_splits)
    if name == "yahoo":
        return YahooSource(
            YahooClient(
                per_second=settings.YAHOO_REQUESTS_PER_SECOND,
                timeout=settings.YAHOO_TIMEOUT_SECONDS,
            )
        )
    if name == "csv":
        return CsvSource(Path(file))
    raise ImproperlyConfigured(f"PRICE_SOURCE={name!r} is none of {', '.join(SOURCES)}.")
