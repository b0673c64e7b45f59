"""Passwords are hashed slowly on purpose, so only few at a time: who only wants to be answered must
find a processor, and a thread, free."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from kernel.errors import TooMany


class TooManyLogins(TooMany):
    code = "too_many_logins"
    detail = "Too many people log in at the moment. Try again in a moment."


class Slots:
    """`most` at a time within this process; `waiting` others wait for so many seconds at most, and
    whoever comes then is told to come again."""

    def __init__(self, most: int, waiting: int, seconds: float) -> None:
        self._running = threading.BoundedSemaphore(most)
        self._within = threading.BoundedSemaphore(most + waiting)
        self._seconds = seconds

    @contextmanager
    def one(self) -> Iterator[None]:
        """Raises TooManyLogins."""
        if not self._within.acquire(blocking=False):
            raise TooManyLogins
        try:
            if not self._running.acquire(timeout=self._seconds):
                raise TooManyLogins
            try:
                yield
            finally:
                self._running.release()
        finally:
            self._within.release()


slots = Slots(settings.LOGIN_HASHES_AT_ONCE, settings.LOGIN_HASHES_WAITING, seconds=5.0)
