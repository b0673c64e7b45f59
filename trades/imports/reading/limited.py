"""Sales in accounts that may not go short, in files that do not say which came first. Pure.

Where a position may not go below zero is judged by trade date, so within a day a sale may stand
before the purchase that makes it possible. Such a sale is put off to the end of its day. The
booking judges again, by the ledger as it is then.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

from trades.imports.reading.names import ACCOUNT, QUANTITY, SIDE, TICKER
from trades.running_position import RunningPosition

Key = tuple[str, str]
"""An account's code and a ticker."""


class Limited:
    """Told of each trade of a file, then asked for their order. `held` answers what the ledger
    holds of some keys."""

    def __init__(
        self,
        accounts: Collection[str],
        find: Callable[[str], str | None],
        held: Callable[[Collection[Key]], Mapping[Key, RunningPosition]],
    ) -> None:
        self._accounts = frozenset(accounts)
        self._find = find
        self._held = held
        self._rows: dict[int, tuple[Key, Decimal, int]] = {}
        self._keys: dict[Key, Key] = {}
        self._sells = False

    def see(self, unit: int, values: Mapping[str, str], day: int) -> None:
        account = values.get(ACCOUNT, "")
        if account not in self._accounts:
            return
        ticker = self._find(values.get(TICKER, ""))
        try:
            quantity = Decimal(values.get(QUANTITY, ""))
        except InvalidOperation:
            return
        if ticker is None or not quantity.is_finite():
            return
        key = self._keys.setdefault((account, ticker), (account, ticker))
        sells = values.get(SIDE) == "sell"
        self._sells = self._sells or sells
        self._rows[unit] = key, -quantity if sells else quantity, day

    def put_off(self, order: Sequence[int], left_out: Sequence[int]) -> list[int] | None:
        """The order in which sales come behind what makes them possible; None when it is this one.
        `left_out` holds a number other than 0 for units that are not booked."""
        if not self._sells:
            return None
        held = self._held(self._keys)
        found: list[int] = []
        waiting: list[int] = []
        today = None
        for unit in order:
            row = None if left_out[unit] else self._rows.get(unit)
            if row is not None:
                key, quantity, day = row
                if day != today:
                    found += waiting
                    waiting, today = [], day
                if not self._takes(held[key], quantity, day):
                    waiting.append(unit)
                    continue
            found.append(unit)
        found += waiting
        return found if any(a != b for a, b in zip(found, order, strict=True)) else None

    def _takes(self, held: RunningPosition, quantity: Decimal, day: int) -> bool:
        added = {date.fromordinal(day): quantity}
        if held.short_after(added):
            return False
        held.add(added)
        return True
