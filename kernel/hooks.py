"""Hooks: an app asks or tells something, and apps above it that it does not know answer or hear.

The app that asks declares a hook with its types; `eqtrade.listeners` says who listens to what.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Hook(Generic[P, R]):
    """Calling it calls every listener, in the order in which they were added, in the caller's
    thread and transaction; what a listener raises, the caller gets. The answers."""

    def __init__(self) -> None:
        self._listeners: list[Callable[P, R]] = []

    def add(self, *listeners: Callable[P, R]) -> None:
        """Add these listeners; one that is there already is not added again."""
        self._listeners += [each for each in listeners if each not in self._listeners]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> list[R]:
        return [listener(*args, **kwargs) for listener in self._listeners]

    @contextmanager
    def only(self, *listeners: Callable[P, R]) -> Iterator[None]:
        """For tests: within the block these listeners and no others."""
        before, self._listeners = self._listeners, list(listeners)
        try:
            yield
        finally:
            self._listeners = before
