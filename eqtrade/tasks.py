"""Celery tasks of the whole."""

from celery import shared_task

from eqtrade.verify import verify_and_record


@shared_task(name="eqtrade.tasks.verify")
def verify() -> int:
    return verify_and_record().breaks
