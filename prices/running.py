"""A moment that goes on: what takes long is judged by when its answers came, not when it began."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

Monotonic = Callable[[], float]


def running(now: datetime, monotonic: Monotonic = time.monotonic) -> Callable[[], datetime]:
    """A clock that stands at `now` when it is made. `monotonic` is in seconds."""
    begun = monotonic()
    return lambda: now + timedelta(seconds=monotonic() - begun)
