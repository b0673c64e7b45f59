"""Celery tasks of the blotter: alerts by user."""

from celery import shared_task

from blotter.alerts.watch import alerts_watch
from kernel import clock


@shared_task(name="blotter.tasks.watch_alerts")
def watch_alerts() -> int:
    """Judge every alert; how many fired."""
    return alerts_watch(now=clock.now())
