"""The Celery application. A worker that starts goes on where the ledger's readers stopped."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eqtrade.settings")

app = Celery("eqtrade")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def _recover(**_: Any) -> None:
    app.send_task("trades.tasks.sweep", queue="default", expires=10)
