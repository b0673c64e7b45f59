"""Makes way for a program and becomes it: `python -P launch.py SOCKET|- COMMAND…`.

When the main process of api, nginx or a worker is killed with -9, its own children go on: they
still hold the socket or the port, and the restarted program can't come up (granian's workers and
nginx's were seen to). supervisor kills a program's group only when it stops it itself.

It is run as a file, so that it starts in no time: as a part of its package it would load Celery.
"""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil


def main() -> None:
    """End the orphans, remove the socket that they left, and become the command."""
    socket, command = sys.argv[1], sys.argv[2:]
    end_orphans()
    if socket != "-":
        Path(socket).unlink(missing_ok=True)
    os.execv(command[0], command)


def end_orphans(seconds: float = 5) -> None:
    """Kill the groups of our session whose leader is dead.

    The session is that of our supervisor, and each of its children leads a group of its own. So a
    group without a leader is what is left of a child that was killed. Started by anybody else we
    are in a session of others, a shell's perhaps, and nobody in it is ours to kill.
    """
    if os.getppid() != os.getsid(0):
        return
    deadline = time.monotonic() + seconds
    while (orphans := find_orphans()) and time.monotonic() < deadline:
        for pid in orphans:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def find_orphans() -> list[int]:
    """The living processes of our session whose group has no living leader."""
    session = os.getsid(0)
    members: dict[int, int] = {}
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, PermissionError, psutil.Error):
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                members[process.pid] = os.getpgid(process.pid)
    # A child that supervisor has just forked is still in supervisor's group, which has a leader.
    return [pid for pid, group in members.items() if group not in members]


if __name__ == "__main__":
    main()
