"""Figures as a table for people and as JSON lines for programs."""

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """One measured value. `beside` names the figure of the same run that it is compared with, and
    `ratio` is this value over that one; both are None for what stands alone."""

    benchmark: str
    figure: str
    value: float
    unit: str
    beside: str | None
    ratio: float | None


class Report:
    """The figures of one benchmark, in the order in which they were added."""

    def __init__(self, benchmark: str) -> None:
        self.benchmark = benchmark
        self.figures: list[Figure] = []

    def add(self, figure: str, value: float, unit: str, *, beside: str | None = None) -> None:
        """Add a figure; the one that it stands beside must have been added before."""
        ratio = None
        if beside is not None:
            other = next(each for each in self.figures if each.figure == beside)
            ratio = round(value / other.value, 2) if other.value else None
        rounded = round(value, 3)
        self.figures.append(Figure(self.benchmark, figure, rounded, unit, beside, ratio))

    def spread(self, figure: str, values: Iterable[float], unit: str, *, beside: str = "") -> None:
        """Add median and 99th percentile; beside the same of another figure."""
        found = sorted(values)
        for name, share in (("median", 0.5), ("p99", 0.99)):
            other = f"{beside}, {name}" if beside else None
            self.add(f"{figure}, {name}", quantile(found, share), unit, beside=other)

    def show(self) -> None:
        """Print the table, then the lines."""
        print(f"\n{self.benchmark}")
        for one in self.figures:
            beside = "" if one.beside is None else f"  {one.ratio:>7} × {one.beside}"
            print(f"  {one.figure:<44} {one.value:>10.2f} {one.unit:<4}{beside}")
        for one in self.figures:
            print(json.dumps(asdict(one)))


def quantile(ordered: list[float], share: float) -> float:
    """The nearest-rank quantile: always a value that was measured."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
