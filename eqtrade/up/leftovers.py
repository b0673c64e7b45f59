"""Ends what a run that was killed with -9 left behind, and nothing else.

A killed supervisor leaves its children alive. Each run records its processes as pid and start
time, since the system gives a pid to somebody else later. Children that were restarted after the
last record are found too: all of them belong to the recorded session of their supervisor.
"""

import json
import os
import signal
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from eqtrade.up.files import write_private

POSTMASTER_TOLERANCE = 3.0
"""Seconds between a postmaster's start and the time that it writes down itself."""


@dataclass(frozen=True)
class Recorded:
    """One process as written down. `start` tells it from a later one with the same pid."""

    name: str
    pid: int
    start: str

    @classmethod
    def of(cls, name: str, pid: int) -> "Recorded":
        """Record a process that lives now."""
        return cls(name, pid, start_stamp(pid) or "")

    def lives(self) -> bool:
        """Whether this very process is still there (a zombie is not)."""
        return self.start != "" and start_stamp(self.pid) == self.start

    def as_dict(self) -> dict[str, str | int]:
        """For JSON; `Recorded(**…)` reads it back."""
        return asdict(self)


def start_stamp(pid: int) -> str | None:
    """When the process started, in a form that setting the clock does not change.

    Linux: the boot's id and the clock ticks since then. None when there is no such process.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        if not psutil.LINUX:
            return repr(process.create_time())
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (psutil.Error, OSError):
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    # Field 22; the second one, the name, may hold spaces and brackets.
    return f"{boot}:{stat.rpartition(')')[2].split()[19]}"


class ProcessFile:
    """The file of this run's processes, written anew at each change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._records: dict[str, Recorded] = {}

    def record(self, name: str, pid: int) -> None:
        """Add a process, or replace the one with this name."""
        known = self._records.get(name)
        if known is None or known.pid != pid:
            self._records[name] = Recorded.of(name, pid)
            self._write()

    def forget(self, name: str) -> None:
        """Take a process out that ended."""
        if self._records.pop(name, None) is not None:
            self._write()

    def clear(self) -> None:
        """No process of this run is left."""
        self._records.clear()
        self.path.unlink(missing_ok=True)

    def _write(self) -> None:
        records = [record.as_dict() for record in self._records.values()]
        write_private(self.path, json.dumps(records, indent=1))


def read_processes(path: Path) -> list[Recorded]:
    """What the previous run recorded; nothing when it ended properly."""
    try:
        return [Recorded(**record) for record in json.loads(path.read_text())]
    except (FileNotFoundError, ValueError, TypeError):
        return []


def end_leftovers(records: list[Recorded], postgres_data: Path | None = None) -> list[str]:
    """End all that lives of a previous run; the names of what was ended.

    The caller holds the lock of DATA_DIR, so no stack of this DATA_DIR is meant to run. A
    supervisor goes first and in order, as it would restart what ends before it; PostgreSQL goes
    last and properly, as recovery is slower than a shutdown.
    """
    supervisors = [record for record in records if record.lives() and _is_supervisor(record)]
    ended = [record.name for record in supervisors]
    _end([psutil.Process(record.pid) for record in supervisors], [(signal.SIGTERM, 40)])

    others = _survivors(records)
    postmaster = _postmaster(postgres_data)
    backends = _children(postmaster) if postmaster is not None else []
    spared = {process.pid for process in ([postmaster] if postmaster else []) + backends}
    others = [process for process in others if process.pid not in spared]
    ended += [_name(process, records) for process in others]
    _end(others, [(signal.SIGTERM, 8), (signal.SIGKILL, 5)])
    if postmaster is not None and postmaster.is_running():
        ended.append("postgres")
        stops = [(signal.SIGINT, 20), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)]
        _end([postmaster], stops)
        psutil.wait_procs(backends, timeout=5)
    return ended


def _is_supervisor(record: Recorded) -> bool:
    return record.name == "supervisord"


def _survivors(records: Iterable[Recorded]) -> list[psutil.Process]:
    """The recorded processes that live, with descendants and members of recorded sessions."""
    found: dict[int, psutil.Process] = {}
    records = list(records)
    for record in records:
        if record.lives():
            process = psutil.Process(record.pid)
            for one in (process, *_children(process)):
                found[one.pid] = one
    leaders = {record.pid: record for record in records}
    for process in psutil.process_iter():
        leader = leaders.get(_session(process.pid))
        if leader is not None and _same_session(process.pid, leader):
            found[process.pid] = process
    found.pop(os.getpid(), None)
    return list(found.values())


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def _same_session(pid: int, leader: Recorded) -> bool:
    """Whether a member of the session with the leader's pid belongs to the recorded leader.

    The system does not reuse a pid while a session has that id. So a dead leader's session is
    the recorded one if its member is younger than the leader and of the same boot.
    """
    now_there = start_stamp(leader.pid)
    if now_there is not None and now_there != leader.start:
        return False
    member_boot, _, member_ticks = (start_stamp(pid) or "").partition(":")
    leader_boot, _, leader_ticks = leader.start.partition(":")
    if not (member_boot == leader_boot and member_ticks.isdigit() and leader_ticks.isdigit()):
        return False
    return int(member_ticks) >= int(leader_ticks)


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return -1


def _postmaster(data: Path | None) -> psutil.Process | None:
    """The PostgreSQL server that still runs on this data directory, by its own file."""
    if data is None:
        return None
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        pid, directory, started = int(lines[0]), lines[1], int(lines[2])
        process = psutil.Process(pid)
        matches = abs(process.create_time() - started) <= POSTMASTER_TOLERANCE
        if matches and directory == str(data) and str(data) in process.cmdline():
            return process
    except (OSError, ValueError, IndexError, psutil.Error):
        pass
    return None


def _name(process: psutil.Process, records: list[Recorded]) -> str:
    for record in records:
        if record.pid == process.pid:
            return record.name
    try:
        return process.name()
    except psutil.Error:
        return str(process.pid)


def _end(processes: list[psutil.Process], steps: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send the signals one after the other, each to what is left, with seconds to obey."""
    left = processes
    for number, seconds in steps:
        for process in left:
            try:
                process.send_signal(number)
                # A stopped (SIGSTOP) process obeys nothing before it goes on.
                process.send_signal(signal.SIGCONT)
            except psutil.Error:
                continue
        left = _still_there(left, seconds)
        if not left:
            return


def _still_there(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    deadline = time.monotonic() + seconds
    while True:
        left = [process for process in processes if _lives(process)]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
