"""What changed from one version of a trade to the next."""

from collections.abc import Iterable
from dataclasses import dataclass

from trades.models import TradeVersion

COMPARED = ("account_id", "instrument_id", "side", "quantity", "price", "trade_date", "note")


@dataclass(frozen=True)
class Step:
    """A version, and the terms in which it differs from the one shown before it. `skipped` versions
    lie between the two that the reader may not see."""

    version: TradeVersion
    changed: frozenset[str]
    skipped: int


def steps(versions: Iterable[TradeVersion]) -> list[Step]:
    """Versions of one trade, oldest first, as steps; the first has changed nothing."""
    found: list[Step] = []
    before: TradeVersion | None = None
    for version in versions:
        changed = frozenset(
            name.removesuffix("_id")
            for name in COMPARED
            if before is not None and getattr(before, name) != getattr(version, name)
        )
        last = 0 if before is None else before.version
        found.append(Step(version, changed, version.version - last - 1))
        before = version
    return found
