"""The Celery application. A worker that starts goes on where the ledger's readers stopped."""

import logging.config
import os
from typing import Any

from celery import Celery
from celery.signals import (
    beat_init,
    before_task_publish,
    setup_logging,
    task_prerun,
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
)
from django.conf import settings
from django.db import close_old_connections
from django_structlog.celery.receivers import CeleryReceiver

from eqtrade import task_events, worker_heartbeat
from eqtrade.log import READY_LOGGER
from eqtrade.tracing import begin_tracing, end_tracing
from eqtrade.up.programs import READY
from kernel import counts
from kernel.collecting import settle

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eqtrade.settings")

app = Celery("eqtrade")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
worker_heartbeat.install(app)
task_events.install(app)

# Of its signals those alone that carry a request's id into a message and from there to the task's
# lines: Celery itself says when a task begins, ends and fails.
_carries = CeleryReceiver()
before_task_publish.connect(_carries.receiver_before_task_publish)
task_prerun.connect(_carries.receiver_task_prerun)

logger = logging.getLogger(__name__)


@setup_logging.connect
def _our_logging(**_: Any) -> None:
    """Celery would else set up its own, with lines of another form."""
    logging.config.dictConfig(settings.LOGGING)


@worker_init.connect
def _load_before_forking(**_: Any) -> None:
    """A process that replaces a killed one would else spend part of a second on the calendar before
    its first task, and every process would hold a copy of its own."""
    from prices.sessions.calendar import published_calendar

    published_calendar()
    settle()


@worker_process_init.connect
def _traced(**_: Any) -> None:
    begin_tracing("worker")


@worker_process_shutdown.connect
def _handed_on(**_: Any) -> None:
    end_tracing()
    counts.hand_on()


@task_prerun.connect
def _usable_connection(**_: Any) -> None:
    close_old_connections()


@task_prerun.connect
def _named(task: Any = None, **_: Any) -> None:
    """What this task changes is recorded as done by it."""
    from audit.context import acting_begins

    acting_begins(f"task {task.name}")


@worker_ready.connect
@beat_init.connect
def say_ready(**_: Any) -> None:
    """What the launcher waits for (`eqtrade.up.readiness`), whatever LOG_LEVEL is."""
    logging.getLogger(READY_LOGGER).info(READY)


@worker_ready.connect
def _recover(sender: Any = None, **_: Any) -> None:
    from eqtrade.recovery import recover

    try:
        recover(queues=set(sender.app.amqp.queues.consume_from))
    except Exception:
        # A worker that cannot look now still works; the sweep looks every few seconds.
        logger.exception("recovery at start failed; the sweep goes on")
