"""Rows that cancel or correct others of the same file. Pure.

A row names the one that it changes by its id, or tells it by the same terms: account, ticker, side,
quantity and price. Cancelled and cancelling row fall away together. What names nothing that is in
the file is refused, and with it the corrections that belong to it: half of such a group, booked,
would be a position that nobody has.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from trades.imports.reading.names import ACCOUNT, OWN_ID, PRICE, QUANTITY, SIDE, TICKER
from trades.imports.reading.outcome import Row

Key = tuple[str, ...]


@dataclass
class Groups:
    """First `see` every row, then `find` every row again where there are `changes`; then `judged`
    says which units fall away and which are refused."""

    changes: dict[int, Row] = field(default_factory=dict)
    _events: dict[Key, list[tuple[int, bool]]] = field(default_factory=lambda: defaultdict(list))
    _of: dict[int, tuple[Key, Key]] = field(default_factory=dict)

    def see(self, unit: int, row: Row) -> None:
        if row.action:
            self.changes[unit] = row
            if row.names or row.action == "cancel":
                key = _named(row) if row.names else _terms(row)
                self._events[key].append((unit, True))
                self._of[unit] = key, _where(row)

    def find(self, unit: int, row: Row) -> None:
        """Whether this row is one of those that are changed."""
        keys = [_terms(row)] if row.action != "cancel" else []
        if row.values.get(OWN_ID):
            keys.append((row.values[ACCOUNT], row.values[OWN_ID]))
        for key in keys:
            if key in self._events and (unit, True) not in self._events[key][-1:]:
                self._events[key].append((unit, False))

    def judged(self) -> Iterator[tuple[int, str]]:
        """Units with what becomes of them: cancelled, cancels_unknown or corrects_unknown."""
        open_, closed = Counter[Key](), Counter[Key]()
        gone: set[int] = set()
        for events in self._events.values():
            for change, target in _matched(sorted(events), gone):
                row, where = self.changes[change], self._of[change][1]
                if target is None:
                    open_[where] += 1
                    yield (
                        change,
                        "cancels_unknown" if row.action == "cancel" else "corrects_unknown",
                    )
                    continue
                closed[where] += 1
                gone.add(target)
                yield target, "cancelled"
                if row.action == "cancel":
                    yield change, "cancelled"
        for unit, row in self.changes.items():
            where = _where(row)
            if row.action == "correct" and not row.names and (open_[where] or not closed[where]):
                yield unit, "corrects_unknown"


def _matched(events: list[tuple[int, bool]], gone: set[int]) -> Iterator[tuple[int, int | None]]:
    """Each change with the nearest row before it that it may mean, else the nearest behind it."""
    before: list[int] = []
    waiting: list[int] = []
    for unit, is_change in events:
        if unit in gone:
            continue
        if not is_change:
            before.append(unit)
        elif before:
            yield unit, before.pop()
        else:
            waiting.append(unit)
    # What is left stands behind all changes that found nothing before them.
    for change in waiting:
        found = next((unit for unit in before if unit > change), None)
        if found is not None:
            before.remove(found)
        yield change, found


def _named(row: Row) -> Key:
    return row.values.get(ACCOUNT, ""), row.names


def _where(row: Row) -> Key:
    return tuple(row.values.get(of, "") for of in (ACCOUNT, TICKER, SIDE))


def _terms(row: Row) -> Key:
    texts = (row.values.get(of, "") for of in (QUANTITY, PRICE))
    return (*_where(row), *(_number(text) for text in texts))


def _number(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
