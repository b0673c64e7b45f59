"""Celery tasks of what lets people and programs in."""

from celery import shared_task

from accounts.services import tokens_tidy
from kernel import clock


@shared_task(name="accounts.tasks.credentials_tidy")
def credentials_tidy() -> int:
    return tokens_tidy(now=clock.now())
