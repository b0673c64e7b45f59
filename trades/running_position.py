"""The position of one account and instrument by trade date, as changes come one after the other.
Pure: what the ledger holds goes in first, then change after change."""

from bisect import insort
from collections.abc import Mapping
from datetime import date
from decimal import Decimal


class RunningPosition:
    """Signed quantities (bought > 0) by trade date; `held` is the sum of all."""

    __slots__ = ("_days", "_held", "_quantities")

    def __init__(self, quantities: Mapping[date, Decimal] | None = None) -> None:
        self._quantities = dict(quantities or {})
        self._days = sorted(self._quantities)
        self._held = sum(self._quantities.values(), Decimal(0))

    @property
    def held(self) -> Decimal:
        return self._held

    def add(self, added: Mapping[date, Decimal]) -> None:
        for day, quantity in added.items():
            if day in self._quantities:
                self._quantities[day] += quantity
            else:
                self._quantities[day] = quantity
                insort(self._days, day)
            self._held += quantity

    def moved_by(self, added: Mapping[date, Decimal]) -> Decimal:
        """What `held` would move by."""
        return sum(added.values(), Decimal(0))

    def short_after(self, added: Mapping[date, Decimal]) -> tuple[date, Decimal] | None:
        """The first date up to which these quantities would lower the sum and leave it below zero,
        with that sum; None when there is none."""
        if all(quantity >= 0 for quantity in added.values()):
            return None
        known = added.keys() <= self._quantities.keys()
        total = moved = Decimal(0)
        for day in self._days if known else sorted({*self._days, *added}):
            change = added.get(day, Decimal(0))
            total += self._quantities.get(day, Decimal(0)) + change
            moved += change
            if moved < 0 and total < 0:
                return day, total
        return None

    def grows(self, quantity: Decimal) -> bool:
        """True if the quantity takes the position further from zero."""
        return abs(self.held + quantity) > abs(self.held)
