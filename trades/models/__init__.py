"""The tables of trades: the ledger with its trades and readers, and imports."""

from trades.models.imports import (
    Import,
    ImportChunk,
    ImportMapping,
    ImportState,
    Rejection,
)
from trades.models.ledger import (
    LEDGER_SHARDS,
    Checkpoint,
    ClientTradeId,
    LedgerEntry,
    LedgerEpoch,
    LedgerEpochNow,
    Quarantine,
    RequestGroup,
    Side,
    Status,
    Terms,
    Trade,
    TradeVersion,
    Verification,
    VerificationBreak,
)

__all__ = [
    "LEDGER_SHARDS",
    "Checkpoint",
    "ClientTradeId",
    "Import",
    "ImportChunk",
    "ImportMapping",
    "ImportState",
    "LedgerEntry",
    "LedgerEpoch",
    "LedgerEpochNow",
    "Quarantine",
    "Rejection",
    "RequestGroup",
    "Side",
    "Status",
    "Terms",
    "Trade",
    "TradeVersion",
    "Verification",
    "VerificationBreak",
]
