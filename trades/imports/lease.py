"""The lease of an import: one worker works at it, and another takes over soon after it died."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Now

from kernel import clock, notices
from kernel.database import is_outage
from kernel.locks import Lock, session_lock
from trades.ledger import nudges
from trades.models import Import, ImportState
from trades.models.imports import OPEN_STATES

logger = logging.getLogger(__name__)

LEASE_SECONDS = 4.0
HEARTBEAT_SECONDS = 1.0
LOOK_SECONDS = 0.2
# So many workers in a row that did not get further: something is wrong with the file or with us.
MAX_ATTEMPTS = 10


class LeaseLost(Exception):
    """Another worker has taken over. What was not committed yet is its business."""


def import_take(import_id: UUID) -> Import | None:
    """Take the lease by a conditional write; None when another worker holds it, or when there is
    nothing left to do. The tenth worker in vain gives the import up."""
    token = uuid4()
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    taken = Import.objects.filter(free, pk=import_id, state__in=OPEN_STATES).update(
        lease=token,
        lease_until=_lease_end(),
        attempts=F("attempts") + 1,
        state=ImportState.RUNNING,
        started_at=Coalesce("started_at", Value(clock.now())),
    )
    if not taken:
        return None
    job = Import.objects.select_related("user", "undone_by").get(pk=import_id)
    if job.attempts > MAX_ATTEMPTS:
        give_up(job)
        return None
    return job


def import_take_over(import_id: UUID) -> Import | None:
    """Take the lease, also from a holder that has died: wait for its end. None when the holder
    lives, which shows within a heartbeat, for it then extends the lease; or when nothing is left
    to do. So the message that a broker gives back when a worker dies is enough to go on."""
    first = _lease_of(import_id)
    while True:
        job = import_take(import_id)
        if job is not None or first is None or _lease_of(import_id) != first:
            return job
        time.sleep(LOOK_SECONDS)


def _lease_of(import_id: UUID) -> datetime | None:
    """Until when it is held; None when nobody holds it or nothing is left to do."""
    found = Import.objects.filter(pk=import_id, state__in=OPEN_STATES)
    return found.values_list("lease_until", flat=True).first()


def _lease_end() -> Any:
    return Now() + timedelta(seconds=LEASE_SECONDS)


@contextmanager
def dry_run_alone(import_id: UUID) -> Iterator[bool]:
    """Dry runs keep their turn until they end, for what they remember ends with it. There is one at
    a time, so that they do not keep all workers from prices and imports. False: another one goes
    on, and the sweep brings this one back."""
    if not Import.objects.filter(pk=import_id, dry_run=True).exists():
        yield True
        return
    with session_lock(Lock.IMPORT_DRY_RUN) as is_alone:
        yield is_alone


def import_move(job: Import, **changes: Any) -> None:
    """Write how far it came, if the lease is still ours: raises LeaseLost. In the transaction that
    did the work, as its last statement, so that the row is not locked for longer."""
    moved = Import.objects.filter(pk=job.pk, lease=job.lease).update(
        lease_until=_lease_end(), **changes
    )
    if not moved:
        raise LeaseLost


def import_end(job: Import, state: ImportState, **changes: Any) -> None:
    """Nothing is left to do: give the lease back for good. Raises LeaseLost."""
    ended = Import.objects.filter(pk=job.pk, lease=job.lease).update(
        state=state, finished_at=clock.now(), lease=None, lease_until=None, attempts=0, **changes
    )
    if not ended:
        raise LeaseLost


def give_up(job: Import) -> None:
    """An undo that fails leaves what is booked, to be tried again; a booking run has failed."""
    said = job.error or "the workers died"
    state = state_booked(job) if job.undo_reason else ImportState.FAILED
    logger.error("import %s is given up at line %s: %s", job.pk, job.line, said)
    import_end(
        job,
        state,
        error=f"Given up at line {job.line} after {MAX_ATTEMPTS} attempts: {said}",
        undo_reason="",
        undone_by=None,
    )
    tell(job)


def state_booked(job: Import) -> ImportState:
    """The state that it goes back to when its undo is not done: failed if it had not come to its
    end."""
    return ImportState.DONE if job.rows_done == job.rows_total else ImportState.FAILED


def tell(job: Import) -> None:
    """Have the uploader's pages look again."""
    notices.publish([notices.import_moved(job.user_id, str(job.pk))])


@contextmanager
def held(job: Import) -> Iterator[None]:
    """Work within this: the lease is extended meanwhile, and given back when the work stops before
    its end. What goes wrong is written down, logged and not raised: the sweep has it tried again.
    """
    stop = threading.Event()
    heart = threading.Thread(target=_beat, args=(job, stop), daemon=True, name="import-lease")
    heart.start()
    try:
        yield
    except LeaseLost:
        logger.warning("import %s: another worker has taken over", job.pk)
    except Exception as error:
        logger.exception("import %s stopped at line %s", job.pk, job.line)
        if is_outage(error):
            # The lease ends by itself.
            return
        _free(job, error=f"{type(error).__name__}: {error}"[:1000])
    else:
        _free(job)
    finally:
        stop.set()
        heart.join()


def _free(job: Import, **changes: Any) -> None:
    Import.objects.filter(pk=job.pk, lease=job.lease).update(lease_until=None, **changes)


def _beat(job: Import, stop: threading.Event) -> None:
    try:
        while not stop.wait(HEARTBEAT_SECONDS):
            try:
                import_move(job)
            except LeaseLost:
                return
            except Exception as error:  # noqa: BLE001 - the database is away: so is everything
                logger.warning("the lease of import %s is not extended: %r", job.pk, error)
                connection.close()
    finally:
        connection.close()


def imports_sweep() -> int:
    """Wake a worker for every import that nobody works at; how many there are."""
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    waiting = Import.objects.filter(free, state__in=OPEN_STATES).values_list("pk", flat=True)
    for import_id in waiting:
        nudges.nudge_import(str(import_id))
    return len(waiting)
