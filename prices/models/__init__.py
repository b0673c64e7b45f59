"""The tables of prices: instruments, the exchange's days, quotes, closes, what sources answered."""

from prices.models.actions import (
    ActionEvent,
    ActionKind,
    ActionStatus,
    CashInLieu,
    CorporateAction,
    CorporateActionDecision,
    CorporateActionLeg,
    CorporateActionVersion,
)
from prices.models.calendar import (
    CalendarStamp,
    SessionOverride,
    SettlementDay,
    SettlementOverride,
)
from prices.models.closes import CARRIED, MANUAL, Close, CloseRun
from prices.models.doubts import CloseDoubt
from prices.models.instruments import CURRENCY, Instrument, InstrumentAlias
from prices.models.quotes import PriceOverride, PricePoint, Quote
from prices.models.sources import SourceFailure, SourceState

__all__ = [
    "CARRIED",
    "CURRENCY",
    "MANUAL",
    "ActionEvent",
    "ActionKind",
    "ActionStatus",
    "CalendarStamp",
    "CashInLieu",
    "Close",
    "CloseDoubt",
    "CloseRun",
    "CorporateAction",
    "CorporateActionDecision",
    "CorporateActionLeg",
    "CorporateActionVersion",
    "Instrument",
    "InstrumentAlias",
    "PriceOverride",
    "PricePoint",
    "Quote",
    "SessionOverride",
    "SettlementDay",
    "SettlementOverride",
    "SourceFailure",
    "SourceState",
]
