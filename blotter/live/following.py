"""Requests, followed to the page: a line says which of them the boards have told of.

Notices name the requests that changed an account. They are gathered for half a second, so that
bookings under load share a line and a booking alone has one of its own.
"""

import asyncio
import time
from collections.abc import Iterable

import structlog

from kernel import traces
from kernel.following import Followed, ids_of, trace_ids_of

logger = structlog.get_logger(__name__)

GATHER_SECONDS = 0.5
MOST_GATHERED = 200


class Following:
    """Of one hub. `heard` and `told` are called as it hears of changes and tells of them."""

    def __init__(self) -> None:
        self._heard: dict[str, tuple[Followed, int]] = {}
        self._told: dict[int, int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def heard(self, requests: Iterable[str]) -> None:
        for text in requests:
            if len(self._heard) < MOST_GATHERED:
                one = Followed.of_text(text)
                self._heard.setdefault(one.request_id, (one, time.time_ns()))
        if self._heard and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_SECONDS, self._say)

    def told(self, accounts: Iterable[int]) -> None:
        if self._heard:
            self._told |= dict.fromkeys(accounts, time.time_ns())

    def _say(self) -> None:
        requests = [one for one, _ in self._heard.values()]
        for one, heard in self._heard.values():
            if told := [self._told[a] for a in one.accounts if a in self._told]:
                traces.tell("frame", one.trace, heard, max(told), request_id=one.request_id)
        logger.info(
            "watchers told",
            requests=ids_of(requests),
            accounts=sorted({a for one in requests for a in one.accounts} & self._told.keys()),
            **trace_ids_of(requests),
        )
        self._heard, self._told, self._timer = {}, {}, None
