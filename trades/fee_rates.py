"""What schedules charge for a trade. Pure: rates and terms in, amounts out.

A rate holds from a trade date on, until a later one of the same schedule, kind and side. Of a trade
it takes so much for each million of its notional and so much for each share, not less than its
minimum, not more than its maximum, and comes to whole cents. Rates of several schedules add up by
kind: each is rounded by itself, as who charges it does.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

from kernel.money import CONTEXT
from trades.fee_kinds import SCHEDULE, Fee, in_order

BOTH = "both"
SIDES = ("buy", "sell", BOTH)
UP, HALF_UP = ROUNDINGS = ("up", "half_up")
_ROUNDING = {UP: ROUND_CEILING, HALF_UP: ROUND_HALF_UP}
_MILLION, _CENT = Decimal(1_000_000), Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Rate:
    """Money in US dollars; None: no minimum, no maximum."""

    name: str
    kind: str
    side: str
    valid_from: date
    per_million: Decimal = Decimal(0)
    per_share: Decimal = Decimal(0)
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    rounding: str = HALF_UP

    def amount(self, quantity: Decimal, price: Decimal) -> Decimal:
        """What it takes of a trade of this quantity, whatever its side."""
        of_notional = CONTEXT.divide(CONTEXT.multiply(quantity * price, self.per_million), _MILLION)
        found = of_notional + quantity * self.per_share
        if self.minimum is not None:
            found = max(found, self.minimum)
        if self.maximum is not None:
            found = min(found, self.maximum)
        return found.quantize(_CENT, _ROUNDING[self.rounding], CONTEXT)


def in_force(rates: Iterable[Rate], day: date) -> list[Rate]:
    """Of each schedule, kind and side the one that holds on a trade date."""
    found: dict[tuple[str, str, str], Rate] = {}
    for rate in sorted(rates, key=lambda each: each.valid_from):
        if rate.valid_from <= day:
            found[rate.name, rate.kind, rate.side] = rate
    return list(found.values())


def charged(
    rates: Iterable[Rate],
    *,
    side: str,
    quantity: Decimal,
    price: Decimal,
    day: date,
    said: Collection[str],
) -> tuple[Fee, ...]:
    """The fees of a trade by these rates, of the kinds that nobody `said` a fee of."""
    found: dict[str, Decimal] = {}
    for rate in in_force(rates, day):
        if rate.side in (BOTH, side) and rate.kind not in said:
            found[rate.kind] = found.get(rate.kind, Decimal(0)) + rate.amount(quantity, price)
    return in_order(Fee(kind, amount, SCHEDULE) for kind, amount in found.items() if amount)
