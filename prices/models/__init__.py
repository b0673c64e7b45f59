"""The tables of prices: instruments, the exchange's days, quotes, closes, what sources answered."""

from prices.models.calendar import CalendarStamp, SessionOverride
from prices.models.closes import CARRIED, MANUAL, Close, CloseRun
from prices.models.doubts import CloseDoubt
from prices.models.instruments import Instrument, InstrumentAlias
from prices.models.quotes import PriceOverride, PricePoint, Quote
from prices.models.sources import SourceFailure, SourceState

__all__ = [
    "CARRIED",
    "MANUAL",
    "CalendarStamp",
    "Close",
    "CloseDoubt",
    "CloseRun",
    "Instrument",
    "InstrumentAlias",
    "PriceOverride",
    "PricePoint",
    "Quote",
    "SessionOverride",
    "SourceFailure",
    "SourceState",
]
