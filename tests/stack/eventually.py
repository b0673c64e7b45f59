"""Waiting for what follows by itself: look again until it holds, with a generous deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

import requests

Result = TypeVar("Result")

SECONDS = 45.0
PAUSE = 0.05


def eventually(look: Callable[[], Result], *, seconds: float = SECONDS) -> Result:
    """What `look` returns once its assertions hold; its last failure when they never do."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return look()
        except (AssertionError, requests.ConnectionError):
            if time.monotonic() > deadline:
                raise
        time.sleep(PAUSE)
