"""Watchers are told that prices changed, once the change can be seen."""

import logging
from collections.abc import Iterable
from datetime import date

from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from kernel.notices import publish, quotes_changed
from prices.hooks import closes_recorded, hours_changed

logger = logging.getLogger(__name__)

EXPIRES_SECONDS = 50


def tell_refreshed() -> None:
    """Start the tasks of settings.AFTER_REFRESH, by name: prices knows nothing of who they are.
    A broker that is away costs them this turn."""
    for task, queue in settings.AFTER_REFRESH.items():
        try:
            current_app.send_task(task, queue=queue, expires=EXPIRES_SECONDS, retry=False)
        except OperationalError as error:
            logger.warning("%s not started: %s", task, error)


def closes_written(closes: Iterable[tuple[int, date]]) -> None:
    """Tell who listens to `closes_recorded`, in the transaction that recorded these closes
    (instrument id, session), and after it whoever watches."""
    written = sorted(set(closes))
    if not written:
        return
    closes_recorded(written)
    publish_changed(instrument for instrument, _ in written)


def hours_written(days: Iterable[date]) -> None:
    """Tell who listens to `hours_changed`, in the transaction that changed the hours of these
    days."""
    first = min(days, default=None)
    if first is not None:
        hours_changed(first)


def publish_changed(instruments: Iterable[int]) -> None:
    """Publish these instruments' ids after commit; nothing for none."""
    ids = sorted(set(instruments))
    if ids:
        transaction.on_commit(lambda: publish([quotes_changed(ids)]), robust=True)
