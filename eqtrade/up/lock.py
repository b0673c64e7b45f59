"""One stack for each DATA_DIR, by a lock that the system itself takes back from the dead."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyRunning(RuntimeError):
    """A stack with this DATA_DIR runs; the message says where it answers."""


@contextmanager
def only_stack(lock: Path, url: str) -> Iterator[None]:
    """Hold the lock; raises `AlreadyRunning`. The file stays, as only the lock on it counts.

    Children do not inherit the lock, so one that outlives us does not keep it.
    """
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(_description(file.read(), lock)) from None
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "url": url}))
        file.flush()
        yield


def _description(text: str, lock: Path) -> str:
    data_dir = lock.parent.parent
    try:
        holder = json.loads(text)
        where = f"at {holder['url']} (process {holder['pid']})"
    except (ValueError, KeyError):
        where = "(it is just starting or stopping)"
    return (
        f"A stack already runs with DATA_DIR={data_dir} {where}. "
        "Stop it first, or give this one another DATA_DIR and PORT."
    )
