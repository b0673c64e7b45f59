"""Traces, for those who take part in a booking: a span of what they did, and a trace's name to hand
on. Nothing here does anything, or imports OpenTelemetry, before `eqtrade.tracing` has begun one in
this process.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

Told = str | int | float | list[str] | list[int]


class Tracer(Protocol):
    """What a process that traces can do."""

    def traceparent(self) -> str:
        """Where the trace at hand goes on, as W3C has it; empty where none is recorded."""

    def ids(self) -> Mapping[str, str]:
        """The trace and the span at hand, for a line of the log."""

    def note(self, attributes: Mapping[str, Told]) -> None:
        """Say this of the span at hand."""

    def going_on(self, traceparent: str) -> AbstractContextManager[None]: ...

    def tell(
        self, name: str, traceparent: str, began: int, ended: int, attributes: Mapping[str, Told]
    ) -> None: ...


tracer: Tracer | None = None


def use(new: Tracer | None) -> None:
    global tracer
    tracer = new


def traceparent() -> str:
    return "" if tracer is None else tracer.traceparent()


def note(**attributes: Told) -> None:
    if tracer is not None:
        tracer.note(attributes)


def going_on(traceparent: str) -> AbstractContextManager[None]:
    """What is done inside belongs to that trace."""
    if tracer is None or not traceparent:
        return nullcontext()
    return tracer.going_on(traceparent)


def tell(name: str, traceparent: str, began: int, ended: int, **attributes: Told) -> None:
    """A span of that trace, after the fact, between these nanoseconds since 1970: who works for
    several at once has one of its own, to which each of theirs is linked."""
    if tracer is not None and traceparent:
        tracer.tell(name, traceparent, began, ended, attributes)
