"""Celery tasks of the whole."""

from celery import shared_task

from eqtrade.certificate import certificate_look
from eqtrade.heartbeats import heartbeats_send
from eqtrade.verify import verify_and_record
from kernel import clock


@shared_task(name="eqtrade.tasks.verify")
def verify() -> int:
    return verify_and_record().breaks


# Beyond the bounds of each call: a name server that does not answer has none.
@shared_task(name="eqtrade.tasks.heartbeats", soft_time_limit=30, time_limit=40)
def heartbeats() -> dict[str, bool]:
    sent = heartbeats_send(now=clock.now())
    certificate_look()
    return sent
