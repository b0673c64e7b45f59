"""Changes from one version of a trade to the next."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from trades.models import TradeVersion
from trades.selectors import version_terms
from trades.terms import AMENDABLE, Term


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


def steps(versions: Iterable[TradeVersion]) -> list[Step]:
    """Versions of one trade, oldest first and read with account and instrument, as steps; the
    first has changed nothing."""
    found: list[Step] = []
    before: TradeVersion | None = None
    for version in versions:
        terms = version_terms(version)
        cells = tuple(
            Cell(
                term,
                terms[term.name],
                before is not None
                and getattr(before, term.column) != getattr(version, term.column),
            )
            for term in AMENDABLE
        )
        last = 0 if before is None else before.version
        found.append(Step(version, cells, version.version - last - 1))
        before = version
    return found
