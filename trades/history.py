"""Changes from one version of a trade to the next."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from trades.fee_kinds import amounts
from trades.models import TradeVersion
from trades.selectors import version_terms, with_fees
from trades.terms import AMENDABLE, FEES, Term


@dataclass(frozen=True)
class Cell:
    """A term of a version, and whether it differs from that of the version shown before."""

    term: Term
    value: Any
    is_changed: bool


@dataclass(frozen=True)
class Step:
    """A version, and its terms beside those of the one shown before it. `skipped` versions lie
    between the two that the reader may not see."""

    version: TradeVersion
    cells: tuple[Cell, ...]
    skipped: int

    @property
    def changed(self) -> frozenset[str]:
        """The names of the terms that differ."""
        return frozenset(cell.term.name for cell in self.cells if cell.is_changed)


def _differ(term: Term, before: dict[str, Any], now: dict[str, Any]) -> bool:
    if term is FEES:
        return amounts(before[term.name]) != amounts(now[term.name])
    return bool(before[term.name] != now[term.name])


def steps(versions: Iterable[TradeVersion]) -> list[Step]:
    """Versions of one trade, oldest first and read with what they refer to, as steps; the first has
    changed nothing."""
    found: list[Step] = []
    before: dict[str, Any] = {}
    last = 0
    for version in with_fees(versions):
        terms = version_terms(version)
        cells = tuple(
            Cell(term, terms[term.name], term.name in before and _differ(term, before, terms))
            for term in AMENDABLE
        )
        found.append(Step(version, cells, version.version - last - 1))
        before, last = terms, version.version
    return found
