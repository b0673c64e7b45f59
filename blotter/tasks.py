"""Celery tasks of the blotter: alerts by user."""

from celery import shared_task

from blotter.alerts.ask import WATCH, alerts_ask
from blotter.alerts.watch import alerts_watch
from kernel import clock
from pnl.watching import begun


@shared_task(name="blotter.tasks.watch_alerts")
def watch_alerts() -> int:
    """Judge every alert; how many fired."""
    begun(WATCH)
    fired = alerts_watch(now=clock.now())
    if fired is None:
        alerts_ask()
    return fired or 0
