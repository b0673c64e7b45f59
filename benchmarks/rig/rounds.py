"""Several ways of doing the same, in alternating rounds of one run; medians with their spread."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.report import Report, quantile
from benchmarks.rig.cpu import cpu_seconds, machine_seconds

SHOWN = 0.005
"""Milliseconds of CPU each below which a part is not worth a line."""


@dataclass(frozen=True)
class Round:
    """One round of one way. CPU is by part, in seconds; `elsewhere` is what the machine did that
    is none of these, in cores: a round that was disturbed shows it."""

    count: int
    seconds: float
    latencies: list[float]
    cpu: dict[str, float]
    elsewhere: float
    more: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return self.count / self.seconds


@dataclass
class Metered:
    """CPU by part between the beginning and the end of a `metered` block, filled in at its end."""

    cpu: dict[str, float] = field(default_factory=dict)
    elsewhere: float = 0.0


@contextmanager
def metered(parts: Mapping[str, int]) -> Iterator[Metered]:
    found = Metered()
    machine, before, began = machine_seconds(), cpu_seconds(parts), time.perf_counter()
    yield found
    seconds, after = time.perf_counter() - began, cpu_seconds(parts)
    found.cpu = {name: max(0.0, after[name] - before[name]) for name in parts}
    found.elsewhere = (machine_seconds() - machine - sum(found.cpu.values())) / seconds


def alternate(ways: Mapping[str, Callable[[], Round]], rounds: int) -> dict[str, list[Round]]:
    """Run each way once, then all again, so many times; each second time in reverse order, so that
    no way always follows the same one."""
    found: dict[str, list[Round]] = {name: [] for name in ways}
    for number in range(1, rounds + 1):
        for name in list(ways) if number % 2 else list(ways)[::-1]:
            one = ways[name]()
            found[name].append(one)
            print(
                f"round {number} of {rounds}: {name:<44} {one.rate:9.1f}/s"
                f"  p99 {quantile(sorted(one.latencies), 0.99):8.1f} ms"
                f"  elsewhere {one.elsewhere:4.2f} cores",
                flush=True,
            )
    return found


def add_rates(report: Report, name: str, rounds: list[Round], *beside: str) -> None:
    """The rate of a way, on a line for each other way that it stands beside."""
    rates = [one.rate for one in rounds]
    for other in beside or (None,):
        title = None if other is None else f"{other}, a second"
        report.rounds(f"{name}, a second", rates, "/s", beside=title)


def add_latencies(report: Report, name: str, rounds: list[Round]) -> None:
    """Median over the rounds of each quantile; and the longest of all."""
    for title, share in (("p50", 0.5), ("p99", 0.99)):
        found = [quantile(sorted(one.latencies), share) for one in rounds]
        report.rounds(f"{name}, {title}", found, "ms")
    report.add(f"{name}, max", max(max(one.latencies) for one in rounds), "ms")


def add_cpu(report: Report, name: str, rounds: list[Round], each: str) -> None:
    """CPU by part, for each of what is counted."""
    parts = {part: None for one in rounds for part in one.cpu}
    for part in parts:
        found = [1000 * one.cpu.get(part, 0.0) / one.count for one in rounds]
        if sorted(found)[len(found) // 2] >= SHOWN:
            report.rounds(f"{name}, CPU {each}: {part}", found, "ms")
    total = [1000 * sum(one.cpu.values()) / one.count for one in rounds]
    report.rounds(f"{name}, CPU {each}: all", total, "ms")
    report.rounds(f"{name}, elsewhere", [one.elsewhere for one in rounds], "cores")


def add_more(report: Report, name: str, rounds: list[Round]) -> None:
    """Whatever else the rounds of a way noted, in milliseconds."""
    for title in rounds[0].more:
        report.rounds(f"{name}, {title}", [one.more[title] for one in rounds], "ms")
