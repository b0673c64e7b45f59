"""What a version adds to the ledger. Pure: terms in, signed entries out.

Booking adds the terms; an amendment takes the old terms back and adds the new ones; a
cancellation takes them back. Quantities are signed (bought > 0); notional = quantity × price.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from kernel.pnl import signed


@dataclass(frozen=True)
class Leg:
    """The part of a trade's terms that the ledger knows."""

    account_id: int
    instrument_id: int
    trade_date: date
    side: str
    quantity: Decimal
    price: Decimal


@dataclass(frozen=True)
class Entry:
    account_id: int
    instrument_id: int
    trade_date: date
    quantity: Decimal
    notional: Decimal
    trades: int


def terms_added(leg: Leg) -> Entry:
    quantity = signed(leg.side, leg.quantity)
    return Entry(
        leg.account_id, leg.instrument_id, leg.trade_date, quantity, quantity * leg.price, 1
    )


def terms_reversed(leg: Leg) -> Entry:
    added = terms_added(leg)
    return Entry(
        leg.account_id, leg.instrument_id, leg.trade_date, -added.quantity, -added.notional, -1
    )


def entries_of(old: Leg | None, new: Leg | None) -> list[Entry]:
    """The entries of a version: a booking has no `old`, a cancellation no `new`."""
    entries = [] if old is None else [terms_reversed(old)]
    return entries if new is None else [*entries, terms_added(new)]
