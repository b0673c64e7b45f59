"""The means of the developer's targets: a command, a step that says how long it took, a lock."""

# ruff: noqa: T201, S603
# It talks to a terminal, and runs a developer's own commands.

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PATIENCE = 15.0
"""Seconds after which a silent step says that it still runs."""


class Failed(RuntimeError):
    """A step failed; the message says what to do about it."""


def call(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> None:
    """Run a command in the checkout; raises `Failed` when it fails."""
    sys.stdout.flush()
    try:
        done = subprocess.run(command, cwd=PROJECT, env=environment, check=False)
    except OSError as error:
        raise Failed(f"{command[0]} can't be run: {error.strerror}") from error
    if done.returncode != 0:
        raise Failed(f"this failed (exit {done.returncode}): {' '.join(map(str, command[:8]))} …")


def works(command: Sequence[str | Path]) -> bool:
    """Whether a command runs and succeeds, silently."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def fingerprint(files: Iterable[Path]) -> str:
    """A hash of the files' names and contents."""
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(PROJECT)} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def read_json(path: Path) -> dict[str, str]:
    """A JSON object of strings, or an empty one when the file is missing or broken."""
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError):
        return {}


@contextmanager
def alone() -> Iterator[None]:
    """Two targets at once in one checkout install and build one after the other."""
    descriptor = os.open(PROJECT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("  waiting for another target that installs or builds here", flush=True)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def step(label: str) -> Iterator[None]:
    """Say what is done, that it still is, and how long it took."""
    print(f"  {label} …", flush=True)
    began = time.monotonic()
    done = threading.Event()

    def remind() -> None:
        while not done.wait(PATIENCE):
            print(f"  … {label}: {time.monotonic() - began:.0f} s so far", flush=True)

    reminder = threading.Thread(target=remind, daemon=True)
    if label != "tests":  # pytest shows its own progress
        reminder.start()
    try:
        yield
    finally:
        done.set()
        print(f"  {label:<44} {time.monotonic() - began:5.1f} s", flush=True)
