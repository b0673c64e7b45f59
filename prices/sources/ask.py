"""Asking a source: one fetch at a time, and none while the source is to be left alone."""

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import F

from kernel.locks import Lock, session_lock
from prices.elapsed_clock import elapsed_clock
from prices.models import SourceFailure, SourceState
from prices.sources import PriceSource, SourceUnavailable
from prices.sources.backoff import pause

T = TypeVar("T")


class LeftAlone(SourceUnavailable):
    """The source failed a moment ago and is not asked before `retry_at`."""


class FetchRunning(SourceUnavailable):
    """Another process is asking; what it gets serves everybody."""


@contextmanager
def one_fetch(*, wait_seconds: float = 5.0) -> Iterator[None]:
    """Hold the one right to ask a source, for the length of the block, over transactions. Raises
    FetchRunning. Not for use inside a transaction."""
    with session_lock(Lock.SOURCE_ASK, wait_seconds=wait_seconds) as is_mine:
        if not is_mine:
            raise FetchRunning("Prices are being fetched by another process.")
        yield


def exclusive(source: PriceSource, *, wait_seconds: float = 5.0) -> AbstractContextManager[None]:
    """`one_fetch` for a source that must be asked by one at a time."""
    return nullcontext() if source.ticks_at_any_hour else one_fetch(wait_seconds=wait_seconds)


def left_alone_until(source: PriceSource, now: datetime) -> datetime | None:
    """Until when, or None when it may be asked."""
    state = SourceState.objects.filter(source=source.name, retry_at__gt=now).first()
    return state.retry_at if state else None


def ask(source: PriceSource, call: Callable[[], T], *, now: datetime) -> T:
    """Make one call of a source, at `now`, and write down how it went. A pause after a failure
    counts from when the call came back. Raises SourceUnavailable, and LeftAlone without asking
    while the source is left alone after a failure."""
    if source.ticks_at_any_hour:
        return call()  # made here: there is nothing to be gentle with, and nothing to tell of
    until = left_alone_until(source, now)
    if until is not None:
        raise LeftAlone(f"{source.name} failed; it is asked again at {until:%H:%M:%S} UTC.")
    clock = elapsed_clock(now)
    try:
        answer = call()
    except SourceUnavailable as failure:
        _failed(source, failure, clock())
        raise
    _answered(source, (clock() - now).total_seconds(), now)
    return answer


def _answered(source: PriceSource, seconds: float, now: datetime) -> None:
    SourceState.objects.update_or_create(
        source=source.name,
        defaults={
            "last_attempt_at": now,
            "last_success_at": now,
            "fetch_seconds": seconds,
            "failures_in_a_row": 0,
            "retry_at": None,
            "left_out": dict(source.left_out),
        },
    )


@transaction.atomic
def _failed(source: PriceSource, failure: SourceUnavailable, now: datetime) -> None:
    name = source.name
    state, _ = SourceState.objects.select_for_update().get_or_create(source=name)
    state.last_attempt_at = state.last_failure_at = now
    state.left_out = dict(source.left_out)
    state.last_failure_kind, state.last_failure = failure.kind, str(failure)[:200]
    if not failure.is_partial:
        state.failures_in_a_row += 1
        state.retry_at = now + pause(
            state.failures_in_a_row,
            first=timedelta(seconds=settings.PRICE_BACKOFF_SECONDS),
            longest=timedelta(seconds=settings.PRICE_BACKOFF_MAX_SECONDS),
            share=random.random(),
            asked=failure.retry_after,
        )
    state.save()
    SourceFailure.objects.get_or_create(source=name, kind=failure.kind)
    SourceFailure.objects.filter(source=name, kind=failure.kind).update(count=F("count") + 1)
