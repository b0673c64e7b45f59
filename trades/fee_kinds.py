"""Fees of a trade: what was paid beside its price, in US dollars. A rebate is negative. Pure.

A trade has at most one amount of a kind. `source` says where it came from: a caller entered it, a
schedule computed it when the trade was booked, or an outside file brought it.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from kernel.money import AmountRefused, checked_amount, number_of

FEE_KINDS = ("commission", "regulatory", "exchange", "clearing", "tax", "other")
FEE_DECIMALS = 6
ENTERED, SCHEDULE, EXTERNAL = SOURCES = ("entered", "schedule", "external")
_PLACE = {kind: place for place, kind in enumerate(FEE_KINDS)}


class Fee(NamedTuple):
    kind: str
    amount: Decimal
    source: str = ENTERED


def fee_amount(value: object) -> Decimal:
    """The amount that was sent, as JSON or text: any sign, at most 6 decimals and 1,000,000,000.
    Raises AmountRefused."""
    amount = number_of(value)
    checked_amount(abs(amount), zero=True)
    if round(amount, FEE_DECIMALS) != amount:
        raise AmountRefused("too_fine", f"This may have at most {FEE_DECIMALS} decimals.")
    return amount


def in_order(fees: Iterable[Fee]) -> tuple[Fee, ...]:
    """The same in the order of `FEE_KINDS`, however they were said."""
    return tuple(sorted(fees, key=lambda fee: _PLACE[fee.kind]))


def total(fees: Iterable[Fee]) -> Decimal:
    return sum((fee.amount for fee in fees), Decimal(0))


def cash_paid(notional: Decimal, fees: Iterable[Fee]) -> Decimal:
    """What a trade costs: its notional, signed as its quantity, and its fees. Received < 0."""
    return notional + total(fees)


def amounts(fees: Iterable[Fee]) -> dict[str, Decimal]:
    """By kind: what makes two lists of fees the same, wherever each came from."""
    return {fee.kind: fee.amount for fee in fees}
