"""The tables of trades: the ledger with its trades and readers, and imports."""

from trades.models.fees import AccountFeeSchedule, FeeSchedule
from trades.models.guards import AskedVersion, Guard, GuardVersion
from trades.models.imports import (
    GuardsMode,
    HeldRow,
    Import,
    ImportChunk,
    ImportMapping,
    ImportState,
    Rejection,
)
from trades.models.ledger import (
    LEDGER_SHARDS,
    ClientTradeId,
    LedgerEntry,
    LedgerEpoch,
    LedgerEpochNow,
    RequestGroup,
    Side,
    Status,
    Terms,
    Trade,
    TradeVersion,
    VersionFee,
)
from trades.models.limits import AccountGroup, Breach, Limit
from trades.models.readers import Checkpoint, Quarantine
from trades.models.tags import LONGEST_TAG, TradeTag
from trades.models.verification import Verification, VerificationBreak

__all__ = [
    "LEDGER_SHARDS",
    "LONGEST_TAG",
    "AccountFeeSchedule",
    "AccountGroup",
    "AskedVersion",
    "Breach",
    "Checkpoint",
    "ClientTradeId",
    "FeeSchedule",
    "Guard",
    "GuardVersion",
    "GuardsMode",
    "HeldRow",
    "Import",
    "ImportChunk",
    "ImportMapping",
    "ImportState",
    "LedgerEntry",
    "LedgerEpoch",
    "LedgerEpochNow",
    "Limit",
    "Quarantine",
    "Rejection",
    "RequestGroup",
    "Side",
    "Status",
    "Terms",
    "Trade",
    "TradeTag",
    "TradeVersion",
    "Verification",
    "VerificationBreak",
    "VersionFee",
]
