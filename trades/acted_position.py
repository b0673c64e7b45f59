"""The position of one account and instrument by date where corporate actions concern it. Pure.

What is traded before an ex-date changes what the action makes of it, in this instrument and in
those that hang together with it: so their trades are kept together, and folded with each change.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from kernel.actions import Action, fold
from trades.running_position import RunningPosition

Days = Mapping[date, Decimal]
ZERO = Decimal(0)


class ActedBook:
    """What one account traded of instruments that hang together, and the actions on them."""

    def __init__(self, traded: Mapping[int, Days], actions: Sequence[Action]) -> None:
        self._traded = {instrument: dict(days) for instrument, days in traded.items()}
        self._actions = actions

    def add(self, instrument: int, added: Days) -> None:
        self._traded = self._with(instrument, added)

    def moves(self, instrument: int | None = None, added: Days | None = None) -> Mapping[int, Days]:
        """The signed changes of quantity by instrument and date, legs included; as they would be
        with `added`."""
        traded = self._traded if instrument is None else self._with(instrument, added or {})
        found: dict[int, dict[date, Decimal]] = {i: dict(days) for i, days in traded.items()}
        for effect in fold(traded, self._actions):
            days = found.setdefault(effect.instrument, {})
            day = effect.action.ex_date
            days[day] = days.get(day, ZERO) + effect.quantity
        return found

    def _with(self, instrument: int, added: Days) -> dict[int, dict[date, Decimal]]:
        found = {i: dict(days) for i, days in self._traded.items()}
        days = found.setdefault(instrument, {})
        for day, quantity in added.items():
            days[day] = days.get(day, ZERO) + quantity
        return found


class ActedPosition(RunningPosition):
    """A running position whose changes go through the book that it shares."""

    __slots__ = ("_book", "_instrument")

    def __init__(self, book: ActedBook, instrument: int) -> None:
        super().__init__()
        self._book, self._instrument = book, instrument

    @property
    def held(self) -> Decimal:
        return self._sum(self._book.moves())

    def add(self, added: Days) -> None:
        self._book.add(self._instrument, added)

    def moved_by(self, added: Days) -> Decimal:
        return self._sum(self._book.moves(self._instrument, added)) - self.held

    def short_after(self, added: Days) -> tuple[date, Decimal] | None:
        now, then = self._book.moves(), self._book.moves(self._instrument, added)
        for instrument in sorted(then, key=lambda each: each != self._instrument):
            days = now.get(instrument, {})
            changed = {
                day: change
                for day in {*days, *then[instrument]}
                if (change := then[instrument].get(day, ZERO) - days.get(day, ZERO))
            }
            worst = RunningPosition(days).short_after(changed)
            if worst is not None:
                return worst
        return None

    def _sum(self, moves: Mapping[int, Days]) -> Decimal:
        return sum(moves.get(self._instrument, {}).values(), ZERO)
