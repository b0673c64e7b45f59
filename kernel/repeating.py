"""Work done again when its connection was lost, so that nobody hears of it.

booked = repeated(lambda: book(trade))
"""

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connection

from kernel.postgres.base import ConnectionLost

Result = TypeVar("Result")

REPEATS = 5
"""The number of times that work is done again."""
SECONDS = 0.5
"""Seconds after a loss in which a connection is tried to be opened."""
PAUSE_SECONDS = 0.02


def repeated(
    work: Callable[[], Result], *, repeats: int = REPEATS, seconds: float = SECONDS
) -> Result:
    """What `work` returns; it is called again, on another connection, when it lost the one it had.

    Reading may always be repeated. What writes must find out whether it was written: the loss does
    not tell. Inside a transaction work is called once: what went before it is lost, too.

    While no connection can be opened after a loss, as during a quick restart, it is tried until the
    time is up; then the loss is raised. An outage that was there before, a timeout or a lock is
    raised at once.
    """
    loss, losses, deadline = None, 0, 0.0
    while True:
        try:
            return work()
        except ConnectionLost as error:
            losses += 1
            if losses > repeats or connection.in_atomic_block:
                raise
            loss, deadline = error, time.monotonic() + seconds
        except OperationalError:
            opened = connection.connection is not None
            if loss is None or opened:
                raise
            if time.monotonic() > deadline:
                raise loss from None
            time.sleep(PAUSE_SECONDS)
        connection.close()
