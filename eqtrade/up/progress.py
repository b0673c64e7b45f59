"""The stack's report while it starts: each step with its seconds, long ones also meanwhile."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 5.0
"""Seconds after which a step that still runs says so, again and again."""


def say(text: str) -> None:
    """Print at once: the output is often a pipe or a log."""
    try:
        print(text, flush=True)
    except (BrokenPipeError, ValueError):
        # Nobody reads any more; that is no reason to leave the servers without their keeper.
        sys.stdout = open("/dev/null", "w")  # noqa: SIM115 (stays open as stdout)


@contextmanager
def step(label: str) -> Iterator[None]:
    """Announce one step's end with its seconds, and every few seconds that it still runs."""
    began = time.monotonic()
    done = threading.Event()

    def remind() -> None:
        while not done.wait(PATIENCE):
            say(f"  … {label}: {time.monotonic() - began:.0f} s so far")

    reminder = threading.Thread(target=remind, daemon=True)
    reminder.start()
    try:
        yield
        say(f"  {label:<44} {time.monotonic() - began:5.1f} s")
    finally:
        done.set()
        reminder.join()
