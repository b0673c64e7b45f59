"""CPU time and memory by part of a stack: the processes that a program started count as its own.

A process that has ended counts too, by what its parent has waited for: PostgreSQL's backends come
and go.
"""

from collections.abc import Mapping
from contextlib import suppress

import psutil


def cpu_seconds(parts: Mapping[str, int]) -> dict[str, float]:
    """Seconds of CPU that each part has used so far; a part is named by its first process. Who
    has a part below it, as a supervisor has, counts without that part."""
    used = {
        process.pid: sum(process.info["cpu_times"][:4])  # own and waited for, user and system
        for process in psutil.process_iter(["cpu_times"])
        if process.info["cpu_times"] is not None
    }
    return _by_part(parts, used)


def memory_bytes(parts: Mapping[str, int]) -> dict[str, float]:
    """Bytes of memory that each part holds now; what processes share is divided among them."""
    owners = _owners(parts)
    held: dict[int, float] = {}
    for pid in owners:
        with suppress(psutil.Error):
            held[pid] = psutil.Process(pid).memory_full_info().pss
    return _by_part(parts, held)


def _by_part(parts: Mapping[str, int], values: Mapping[int, float]) -> dict[str, float]:
    found = dict.fromkeys(parts, 0.0)
    for pid, name in _owners(parts).items():
        found[name] += values.get(pid, 0.0)
    return found


def _owners(parts: Mapping[str, int]) -> dict[int, str]:
    """Process → the part that it counts for."""
    parents = {each.pid: each.info["ppid"] for each in psutil.process_iter(["ppid"])}
    part_of = {pid: name for name, pid in parts.items()}
    found = {}
    for pid in parents:
        above: int | None = pid
        while above and above not in part_of:
            above = parents.get(above)
        if above:
            found[pid] = part_of[above]
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
