"""Celery tasks of what lets people and programs in."""

from celery import shared_task

from accounts import attempts
from accounts.browser_sessions import SessionStore
from accounts.services import tokens_tidy
from kernel import clock


@shared_task(name="accounts.tasks.credentials_tidy")
def credentials_tidy() -> int:
    SessionStore.clear_expired()
    return tokens_tidy(now=clock.now())


@shared_task(name="accounts.tasks.attempts_tidy")
def attempts_tidy() -> int:
    return attempts.attempts_tidy(now=clock.now())
