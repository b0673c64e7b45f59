"""CPU time by part of a stack: the processes that a program started count as its own.

A process that has ended counts too, by what its parent has waited for: PostgreSQL's backends come
and go.
"""

from collections.abc import Mapping

import psutil


def cpu_seconds(parts: Mapping[str, int]) -> dict[str, float]:
    """Seconds of CPU that each part has used so far; a part is named by its first process. Who
    has a part below it, as a supervisor has, counts without that part."""
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for process in psutil.process_iter(["ppid", "cpu_times"]):
        times = process.info["cpu_times"]
        if times is not None:
            parents[process.pid] = process.info["ppid"]
            used[process.pid] = sum(times[:4])  # own and waited for, user and system
    part_of = {pid: name for name, pid in parts.items()}
    found = dict.fromkeys(parts, 0.0)
    for pid, seconds in used.items():
        above: int | None = pid
        while above and above not in part_of:
            above = parents.get(above)
        if above:
            found[part_of[above]] += seconds
    return found


def machine_seconds() -> float:
    """Seconds of CPU that everything on this machine has used so far."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    # Linux counts a guest's time in the user's, too.
    guest = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    return float(sum(times) - idle - guest)


def tree(pid: int) -> list[psutil.Process]:
    """A process and all below it, parents first; empty when it is gone."""
    try:
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
