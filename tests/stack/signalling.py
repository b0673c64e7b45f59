"""Signals to processes that may end by themselves meanwhile."""

import signal
from collections.abc import Iterable
from contextlib import suppress

import psutil


def signal_all(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    """Send it to each that is still there."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
