"""A worker that starts wakes whoever is behind, and fetches closes that were slept through."""

import logging

from celery import current_app
from django.conf import settings

from trades.ledger.consumer import shards_behind
from trades.ledger.epoch import same_cluster
from trades.ledger.nudges import calls_of
from trades.ledger.registry import readers
from trades.ledger.shard_batch import AnotherCluster

logger = logging.getLogger(__name__)

SWEEP_EXPIRES_SECONDS = 10
RECOVER_EXPIRES_SECONDS = 600


def recover(*, queues: set[str]) -> None:
    """Wake whoever is behind, and have the closes fetched that a worker of prices slept through;
    with RECOVERY_MODE=rebuild have the projections of the worker's own queues computed anew first.
    Says in the log when a restore was not declared."""
    if "prices" in queues:
        current_app.send_task(
            "prices.tasks.recover", queue="prices", expires=RECOVER_EXPIRES_SECONDS
        )
    if not same_cluster():
        logger.error("%s Nothing is read until then.", AnotherCluster.detail)
        return
    if settings.RECOVERY_MODE == "rebuild":
        for reader in readers():
            if reader.queue in queues:
                logger.warning("RECOVERY_MODE=rebuild: %s is computed anew", reader.consumer)
                current_app.send_task(reader.rebuild, queue=reader.queue)
    # Its own readers itself: the worker that sweeps may be the one that is away.
    for call in calls_of(shards_behind()):
        if call.queue in queues:
            current_app.send_task(
                call.task, call.arguments, queue=call.queue, expires=RECOVER_EXPIRES_SECONDS
            )
    current_app.send_task("trades.tasks.sweep", queue="default", expires=SWEEP_EXPIRES_SECONDS)
