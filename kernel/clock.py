"""The one clock. Everything that needs the time asks here, so that tests and replays can move it.

All times are aware and in UTC; `new_york` tells the exchange's wall clock.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")

Clock = Callable[[], datetime]


def _system() -> datetime:
    return datetime.now(UTC)


_clock: Clock = _system


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return _clock()


def new_york(moment: datetime) -> datetime:
    """The same moment on the exchange's wall clock."""
    return moment.astimezone(NEW_YORK)


@contextmanager
def clock_set(clock: Clock | datetime) -> Iterator[None]:
    """Replace the clock of this process: by a function, or by one frozen moment."""
    global _clock
    if isinstance(clock, datetime):
        if clock.tzinfo is None:
            raise ValueError("a clock needs an aware datetime")
        moment = clock.astimezone(UTC)
        replacement: Clock = lambda: moment  # noqa: E731
    else:
        replacement = clock
    previous, _clock = _clock, replacement
    try:
        yield
    finally:
        _clock = previous
