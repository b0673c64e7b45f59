"""The day's points of P&L follow each refresh of quotes."""

import logging

from celery import current_app
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

TASK, QUEUE = "pnl.tasks.record_intraday", "pnl"
EXPIRES_SECONDS = 50


def intraday_ask() -> None:
    """Have a worker record points. A broker that is away costs this turn's."""
    try:
        current_app.send_task(TASK, queue=QUEUE, expires=EXPIRES_SECONDS, retry=False)
    except OperationalError as error:
        logger.warning("%s not started: %s", TASK, error)
