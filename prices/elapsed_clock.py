"""A clock that starts at a given moment and runs on: long work is judged by when answers come."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

Monotonic = Callable[[], float]


def elapsed_clock(now: datetime, monotonic: Monotonic = time.monotonic) -> Callable[[], datetime]:
    """A clock that starts at `now`. `monotonic` is in seconds."""
    begun = monotonic()
    return lambda: now + timedelta(seconds=monotonic() - begun)
