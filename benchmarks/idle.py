"""What a stack costs that nobody uses: CPU and memory by part, and statements that its database is
asked. The demo's prices move each second; nothing is booked and nobody watches.

With another checkout beside it both idle in turns, one stopped while the other is measured.
"""

import time
from collections import defaultdict

from benchmarks.report import Report
from benchmarks.rig.cpu import cpu_seconds, memory_bytes
from benchmarks.rig.stacks import Stack, alone, stacks

ROUNDS = 2
SECONDS = 40.0
SETTLE_SECONDS = 20.0
"""After a start, and after what was stopped has caught up."""
MEGABYTE = 1_000_000.0
_STATEMENTS = """
    SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()
"""

Values = dict[str, list[float]]


def measure(report: Report) -> None:
    """Add the figures of this checkout's stack, and of another's beside them."""
    with stacks() as found:
        cpu: dict[str, Values] = {each.name: defaultdict(list) for each in found}
        memory: dict[str, Values] = {each.name: defaultdict(list) for each in found}
        asked: Values = defaultdict(list)
        for _ in range(ROUNDS):
            for stack in found:
                alone(stack, found)
                time.sleep(SETTLE_SECONDS)
                asked[stack.name].append(_idle(stack, cpu[stack.name], memory[stack.name]))
    # The other first: ours stand beside it.
    for name in reversed([each.name for each in found]):
        for what, unit, values in (("CPU", "%", cpu[name]), ("memory", "MB", memory[name])):
            for part in sorted(values, key=lambda each: (each == "all", each)):
                _add(report, name, f"{what} of {part}", values[part], unit)
        _add(report, name, "transactions a second", asked[name], "")


def _idle(stack: Stack, cpu: Values, memory: Values) -> float:
    """One round: adds to both, and returns the transactions of a second."""
    parts = stack.parts()
    with stack.superuser() as root:
        before, asked, begun = cpu_seconds(parts), root.execute(_STATEMENTS), time.monotonic()
        first = _one(asked.fetchone())
        time.sleep(SECONDS)
        after, seconds = cpu_seconds(parts), time.monotonic() - begun
        last = _one(root.execute(_STATEMENTS).fetchone())
    held = memory_bytes(parts)
    for part in parts:
        cpu[part].append(100 * (after[part] - before[part]) / seconds)
        memory[part].append(held[part] / MEGABYTE)
    cpu["all"].append(sum(cpu[part][-1] for part in parts))
    memory["all"].append(sum(held.values()) / MEGABYTE)
    return (last - first) / seconds


def _one(row: tuple[int, ...] | None) -> int:
    assert row is not None
    return row[0]


def _add(report: Report, stack: str, figure: str, values: list[float], unit: str) -> None:
    beside = f"{figure}, the other checkout"
    if stack != "ours":
        report.rounds(f"{figure}, {stack}", values, unit)
    else:
        known = any(each.figure == beside for each in report.figures)
        report.rounds(figure, values, unit, beside=beside if known else None)
