"""Running sums of one account and instrument by trade date, for batches whose rows count in order.
Pure: what the ledger holds goes in first, then row after row."""

from bisect import bisect_right, insort
from collections.abc import Mapping
from datetime import date
from decimal import Decimal


class Running:
    """Signed quantities (bought > 0) by trade date; `held` is the sum of all."""

    __slots__ = ("_days", "_quantities", "held")

    def __init__(self, quantities: Mapping[date, Decimal] | None = None) -> None:
        self._quantities = dict(quantities or {})
        self._days = sorted(self._quantities)
        self.held = sum(self._quantities.values(), Decimal(0))

    def add(self, day: date, quantity: Decimal) -> None:
        if day in self._quantities:
            self._quantities[day] += quantity
        else:
            self._quantities[day] = quantity
            insort(self._days, day)
        self.held += quantity

    def short_after(self, day: date, quantity: Decimal) -> tuple[date, Decimal] | None:
        """The first date, from `day` on, whose sum this quantity would lower to below zero, with
        that sum; None when there is none."""
        if quantity >= 0:
            return None
        later = bisect_right(self._days, day)
        total = sum((self._quantities[d] for d in self._days[:later]), quantity)
        if total < 0:
            return day, total
        for each in self._days[later:]:
            total += self._quantities[each]
            if total < 0:
                return each, total
        return None

    def grows(self, quantity: Decimal) -> bool:
        """Whether the quantity takes the position further from zero."""
        return abs(self.held + quantity) > abs(self.held)
