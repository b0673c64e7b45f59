"""Work done again when its connection was lost, so that nobody hears of it."""

from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def repeated(work: Callable[[], Result]) -> Result:
    """What `work` returns."""
    return work()
