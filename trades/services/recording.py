"""The rows of a version: what booking and correction both write."""

from collections.abc import Iterable

from django.db import transaction

from trades import nudges
from trades.entries import Entry, Leg
from trades.models import LEDGER_SHARDS, LedgerEntry, Trade, TradeVersion


def leg_of(trade: Trade) -> Leg:
    """The trade's present terms, as the ledger knows them."""
    return Leg(
        trade.account_id,
        trade.instrument_id,
        trade.trade_date,
        trade.side,
        trade.quantity,
        trade.price,
    )


def version_of(trade: Trade, *, actor_id: int, reason: str) -> TradeVersion:
    """The trade's present state as a version, to be saved."""
    return TradeVersion(
        trade=trade,
        account_id=trade.account_id,
        instrument_id=trade.instrument_id,
        side=trade.side,
        quantity=trade.quantity,
        price=trade.price,
        trade_date=trade.trade_date,
        executed_at=trade.executed_at,
        note=trade.note,
        version=trade.version,
        status=trade.status,
        actor_id=actor_id,
        reason=reason,
    )


def entry_of(trade: Trade, entry: Entry) -> LedgerEntry:
    """One entry of the trade's present version, to be saved."""
    return LedgerEntry(
        account_id=entry.account_id,
        instrument_id=entry.instrument_id,
        trade_date=entry.trade_date,
        quantity=entry.quantity,
        notional=entry.notional,
        trades=entry.trades,
        trade=trade,
        version=trade.version,
    )


def entries_save(entries: Iterable[LedgerEntry]) -> None:
    """Write entries, after their versions, and wake the readers of their shards on commit."""
    saved = LedgerEntry.objects.bulk_create(entries)
    shards = {e.account_id % LEDGER_SHARDS for e in saved}
    transaction.on_commit(lambda: nudges.nudge_all(shards), robust=True)
