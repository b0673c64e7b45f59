"""Figures as a table for people and as JSON lines for programs."""

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """One measured value. `beside` names the figure of the same run that it is compared with, and
    `ratio` is this value over that one; both are None for what stands alone. Of several rounds the
    value is the median, `low` and `high` the least and the greatest; the ratio is the median of the
    ratios round by round, `ratios` their least and greatest."""

    benchmark: str
    figure: str
    value: float
    unit: str
    beside: str | None
    ratio: float | None
    low: float | None = None
    high: float | None = None
    ratios: tuple[float, float] | None = None


class Report:
    """The figures of one benchmark, in the order in which they were added."""

    def __init__(self, benchmark: str) -> None:
        self.benchmark = benchmark
        self.figures: list[Figure] = []
        self._rounds: dict[str, list[float]] = {}
        self.is_aloud = False
        """Whether each figure is said when it is added, too: of runs that take minutes."""

    def add(self, figure: str, value: float, unit: str, *, beside: str | None = None) -> None:
        """Add a figure; the one that it stands beside must have been added before."""
        ratio = None
        if beside is not None:
            other = next(each for each in self.figures if each.figure == beside)
            ratio = round(value / other.value, 2) if other.value else None
        rounded = round(value, 3)
        self.figures.append(Figure(self.benchmark, figure, rounded, unit, beside, ratio))
        if self.is_aloud:
            print(f"  … {figure}: {value:.2f} {unit}", flush=True)

    def rounds(
        self, figure: str, values: list[float], unit: str, *, beside: str | None = None
    ) -> None:
        """Add a figure of several rounds; what it stands beside has as many, in the same order."""
        self._rounds[figure] = values
        ratio = ratios = None
        if beside is not None and all(self._rounds[beside]):
            each = [a / b for a, b in zip(values, self._rounds[beside], strict=True)]
            ratio, ratios = round(median(each), 3), (round(min(each), 3), round(max(each), 3))
        self.figures.append(
            Figure(
                self.benchmark, figure, round(median(values), 3), unit, beside, ratio,
                round(min(values), 3), round(max(values), 3), ratios,
            )
        )  # fmt: skip

    def spread(self, figure: str, values: Iterable[float], unit: str, *, beside: str = "") -> None:
        """Add median and 99th percentile; beside the same of another figure."""
        found = sorted(values)
        for name, share in (("median", 0.5), ("p99", 0.99)):
            other = f"{beside}, {name}" if beside else None
            self.add(f"{figure}, {name}", quantile(found, share), unit, beside=other)

    def show(self) -> None:
        """Print the table, then the lines."""
        print(f"\n{self.benchmark}")
        width = max([44, *(len(one.figure) for one in self.figures)])
        for one in self.figures:
            line = f"  {one.figure:<{width}} {one.value:>10.2f} {one.unit:<5}"
            if one.low is not None:
                line += f"  ({one.low:.2f} to {one.high:.2f})"
            if one.ratio is not None:
                line += f"  {one.ratio:>7} × {one.beside}"
            if one.ratios is not None:
                line += f"  ({one.ratios[0]} to {one.ratios[1]})"
            print(line)
        for one in self.figures:
            print(json.dumps(asdict(one)))


def quantile(ordered: list[float], share: float) -> float:
    """The nearest-rank quantile: always a value that was measured."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
