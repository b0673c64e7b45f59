"""Alerts are judged a second after batches of the ledger's readers and refreshes of quotes."""

import logging

from celery import current_app
from kombu.exceptions import OperationalError

from blotter.alerts.watch import alerts_set
from pnl.watching import AFTER_SECONDS, EXPIRES_SECONDS, is_due

logger = logging.getLogger(__name__)

WATCH = "alerts"
TASK, QUEUE = "blotter.tasks.watch_alerts", "pnl"


def alerts_ask() -> None:
    """Have a worker judge them, if there are any; a broker that is away leaves it to the minute."""
    if not alerts_set() or not is_due(WATCH):
        return
    try:
        current_app.send_task(
            TASK, queue=QUEUE, countdown=AFTER_SECONDS, expires=EXPIRES_SECONDS, retry=False
        )
    except OperationalError as error:
        logger.warning("%s not started: %s", TASK, error)
