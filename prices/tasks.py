"""Celery tasks of prices. Each is safe to run twice and at the same time as itself."""

import logging

from celery import shared_task

from kernel.clock import now
from prices.closes.fetch import closes_recover, closes_work
from prices.hooks import quotes_refreshed
from prices.quotes.points import points_record
from prices.quotes.refresh import quotes_refresh, ticks_take
from prices.services.overrides import overrides_expire
from prices.sources import SourceUnavailable

logger = logging.getLogger(__name__)


@shared_task(name="prices.tasks.refresh_quotes")
def refresh_quotes() -> None:
    """Points are recorded each minute whatever the source says: quotes also come by a stream, by
    hand, and before a failure."""
    try:
        quotes_refresh(now=now())
    except SourceUnavailable as error:
        logger.warning("quotes not refreshed, the last ones stay: %s", error)
    finally:
        points_record(now=now())
        quotes_refreshed()


@shared_task(name="prices.tasks.tick_simulated")
def tick_simulated() -> None:
    ticks_take(now=now())


@shared_task(name="prices.tasks.fetch_closes")
def fetch_closes() -> None:
    try:
        closes_work(now=now())
    except SourceUnavailable as error:
        logger.warning("closes not fetched, they are asked for again: %s", error)


@shared_task(name="prices.tasks.recover")
def recover() -> None:
    """A worker that starts fetches the closes that it slept through."""
    try:
        filled = closes_recover(now=now())
    except SourceUnavailable as error:
        logger.warning("closes not recovered, they are asked for when due: %s", error)
    else:
        logger.info("closes of %s sessions: %s new", len(filled.days), filled.new)


@shared_task(name="prices.tasks.expire_overrides")
def expire_overrides() -> None:
    overrides_expire(now=now())
