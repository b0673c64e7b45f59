"""Signs of life of the jobs that must not be missed, to whoever watches from outside.

A watcher (as Healthchecks.io is one) raises the alarm when it is not called for a while: so it also
hears of a beat, a worker, a database or a machine that is dead, which can tell nobody by itself. So
no job is asked whether it ran: what it should have done by now is looked up, and its address is
called when it is done, or `/fail` below it with a sentence of what is not.

Nothing waits for a call and nothing fails by one.
"""

import logging
import urllib.request
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.conf import settings

from eqtrade.verify import last_verification
from positions.health import overdue_snapshots, unbegun_snapshots
from prices.health import closes_late

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 5.0
# It is done each night.
VERIFIED_WITHIN = timedelta(hours=26)


def _closes(now: datetime) -> str:
    late = closes_late(now)
    return f"No closes of {late[-1]}: they are late." if late else ""


def _snapshot(now: datetime) -> str:
    late = [*unbegun_snapshots(now), *overdue_snapshots(now)]
    return f"No snapshot of {late[0]}: it is late." if late else ""


def _verify(now: datetime) -> str | None:
    last = last_verification()
    if last is None:
        return None
    if last.breaks:
        return f"{last.breaks} numbers are wrong."
    return "" if now - last.finished_at < VERIFIED_WITHIN else "Nothing was verified for a day."


JOBS: Mapping[str, Callable[[datetime], str | None]] = {
    "closes": _closes,
    "snapshot": _snapshot,
    "verify": _verify,
}
"""What is wrong with each, in a sentence; empty where nothing is, None where nobody can say."""


def heartbeats_send(*, now: datetime) -> dict[str, bool]:
    """Call the address of each job that has one; by job, whether it was reached."""
    sent = {}
    for job, wrong in JOBS.items():
        url = settings.HEARTBEATS.get(job, "")
        if url and (problem := wrong(now)) is not None:
            sent[job] = _call(job, url, problem)
    return sent


def _call(job: str, url: str, problem: str) -> bool:
    address = f"{url.rstrip('/')}/fail" if problem else url
    try:
        # The operator's own address.
        request = urllib.request.Request(address, problem.encode() or None)  # noqa: S310
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310
            return True
    except (OSError, ValueError) as error:
        # Who knows the address can call it: it is no line of a log.
        logger.warning("the heartbeat of %s did not arrive: %s", job, type(error).__name__)
        return False
