"""A worker that starts goes on where its readers stopped, whoever else is away."""

import os
import subprocess
import sys
from decimal import Decimal

from django.db import connection, transaction

from eqtrade.up.options import PROJECT
from eqtrade.up.postgres import PostgresServer
from eqtrade.up.valkey import ValkeyServer
from positions.models import Position
from tests import factories as make
from tests.stack.eventually import eventually
from tests.trades.conftest import NOW, TODAY


def test_it_needs_no_other_worker_and_no_nudge(committed_db: PostgresServer) -> None:
    """Only this one of the queue `positions`: nobody sweeps, and what was booked meanwhile nudged
    into the void."""
    trader, account, ibm = make.make_user(), make.make_account(), make.make_instrument()
    with transaction.atomic():
        make.make_trade(trader, account, ibm, "5", "10", trade_date=TODAY, at=NOW)
    connection.close()

    def held() -> None:
        found = Position.objects.filter(account=account).values_list("quantity", flat=True)
        assert list(found) == [Decimal(5)]

    with ValkeyServer.temporary() as valkey:
        environment = {
            **os.environ,
            "DATABASE_URL": committed_db.url("runtime"),
            "REDIS_URL": valkey.url(),
        }
        command = ["-m", "celery", "-A", "eqtrade", "worker", "-Q", "positions", "-n", "alone@here"]
        worker = subprocess.Popen(
            [sys.executable, *command, "-c", "1", "--without-gossip"],
            cwd=PROJECT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            eventually(held)
        finally:
            worker.terminate()
            worker.wait(60)
