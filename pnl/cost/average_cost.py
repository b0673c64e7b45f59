"""Average cost of one key, exact. No Django, nothing looked up: fills in, cost out.

A fill is what one standing trade adds: a signed quantity (bought > 0) and its price, in the order
(trade date, time of execution, trade id). `cost` is signed like the quantity held. One rule each:

opening or adding   cost grows by quantity × price
reducing            relieves cost × closed ÷ quantity, rounded half even to 6 decimals, never more
                    than there is; realized P&L grows by closed × price less what was relieved
closing             relieves the whole cost, whatever rounding had left
flipping            closes everything at the price, then opens the rest at the same price

Each fill changes cost − realized P&L by exactly quantity × price, so that in every state

    realized + unrealized = market value − net paid,  with unrealized = market value − cost

holds without any rounding. (The average cost method as custodians state it; the rounding is ours.)

Numbers are whole: quantities and prices count the finest step of an input (`kernel.money`:
10⁻¹⁰), cost and realized P&L its square. So nothing is lost, and reading whole numbers out of the
database takes a third of the time that reading decimals takes.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from kernel.money import CONTEXT, MAX_DECIMALS

ONE: int = 10**MAX_DECIMALS
"""A quantity or price of 1 in whole numbers; a cost of 1 is its square."""
# What is relieved is a multiple of this: a cost of a millionth.
_RELIEVED_STEP: int = ONE**2 // 10**6


class Costed(NamedTuple):
    """Quantity held, its cost, and the P&L realized by closing; whole numbers as above."""

    quantity: int = 0
    cost: int = 0
    realized_pnl: int = 0

    def decimals(self) -> tuple[Decimal, Decimal, Decimal]:
        """Quantity, cost and realized P&L as they are stored and shown."""
        return (
            Decimal(self.quantity).scaleb(-MAX_DECIMALS, CONTEXT),
            Decimal(self.cost).scaleb(-2 * MAX_DECIMALS, CONTEXT),
            Decimal(self.realized_pnl).scaleb(-2 * MAX_DECIMALS, CONTEXT),
        )


NOTHING = Costed()


def fold(fills: Iterable[int], start: Costed = NOTHING) -> Costed:
    """Apply fills, given flat as quantity, price, quantity, price …, in their order."""
    held, cost, realized = start
    numbers = iter(fills)
    for quantity, price in zip(numbers, numbers, strict=True):
        if not held or (held > 0) == (quantity > 0):
            held += quantity
            cost += quantity * price
            continue
        left = held + quantity
        if not left:
            realized -= quantity * price + cost
            cost = 0
        elif (left > 0) == (held > 0):
            relieved = _relieved(cost, quantity, held)
            realized -= quantity * price + relieved
            cost -= relieved
        else:
            realized += held * price - cost
            cost = left * price
        held = left
    return Costed(held, cost, realized)


def costed(fills: Iterable[tuple[Decimal, Decimal]], start: Costed = NOTHING) -> Costed:
    """`fold` for decimals: (signed quantity, price) pairs with at most 10 decimals each."""
    return fold((_whole(number) for fill in fills for number in fill), start)


def average_cost(quantity: Decimal | None, cost: Decimal | None) -> Decimal | None:
    """Cost ÷ quantity, for showing only; None where nothing is held."""
    return CONTEXT.divide(cost, quantity) if quantity and cost is not None else None


def _relieved(cost: int, quantity: int, held: int) -> int:
    """cost × closed ÷ held, signed like the cost, rounded half even to 6 decimals."""
    divisor = abs(held) * _RELIEVED_STEP
    relieved, rest = divmod(abs(cost * quantity), divisor)
    if 2 * rest > divisor or (2 * rest == divisor and relieved & 1):
        relieved += 1
    # Costs below a millionth can round up to more than there is.
    relieved = min(relieved * _RELIEVED_STEP, abs(cost))
    return relieved if cost > 0 else -relieved


def _whole(number: Decimal) -> int:
    scaled = number.scaleb(MAX_DECIMALS, CONTEXT)
    whole = int(scaled)
    if whole != scaled:
        raise ValueError(f"{number} has more than {MAX_DECIMALS} decimals")
    return whole
