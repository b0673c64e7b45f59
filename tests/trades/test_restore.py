"""Dump, restore into another cluster, `restored`: nothing is lost and nothing applied twice."""

import os
import subprocess
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client

from eqtrade.up.postgres import PostgresServer
from eqtrade.verify import verify
from positions.models import Position
from positions.projection import POSITIONS
from tests import factories as make
from tests.conftest import be
from tests.trades.conftest import NOW, TODAY, Desk, make_desk
from tests.trades.test_rebuilding import read
from trades.ledger.shard_batch import AnotherCluster, State, drain
from trades.models import LedgerEntry


@pytest.fixture
def elsewhere(committed_db: PostgresServer) -> Iterator[PostgresServer]:
    """Another cluster; afterwards the connection is to the first one again."""
    with PostgresServer.temporary() as other:
        yield other
        be(committed_db.url("runtime"))


def book(desk: Desk, times: int) -> None:
    for _ in range(times):
        with transaction.atomic():
            make.make_trade(desk.trader, desk.account, desk.ibm, "1", "2", trade_date=TODAY, at=NOW)


def restore(here: PostgresServer, there: PostgresServer) -> None:
    dump = subprocess.run(
        [here.bin / "pg_dump", "--format=custom", here.url("superuser", "eqtrade")],
        check=True, capture_output=True,
    )  # fmt: skip
    subprocess.run(
        [there.bin / "pg_restore", "--exit-on-error", "-d", there.url("superuser", "eqtrade")],
        check=True, capture_output=True, input=dump.stdout, env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip


def test_after_a_restore_nothing_is_read_until_it_is_declared(
    committed_db: PostgresServer, elsewhere: PostgresServer
) -> None:
    desk = make_desk()
    book(desk, 30)
    read()
    book(desk, 5)  # not read yet when the dump is taken
    restore(committed_db, elsewhere)

    be(elsewhere.url("runtime"))
    with pytest.raises(AnotherCluster):
        drain(POSITIONS, desk.account.pk % 16)
    with pytest.raises(Exception, match="another cluster"):
        book(desk, 1)
    ready = Client().get("/readyz")
    assert ready.status_code == 503
    assert "manage.py restored" in ready.json()["database"]

    out = StringIO()
    call_command("restored", stdout=out)
    call_command("restored", stdout=out)
    assert out.getvalue().splitlines() == [
        "Epoch 2 begins. Readers go on by themselves.",
        "This cluster is that of the latest epoch; nothing to do.",
    ]
    assert Client().get("/readyz").status_code == 200

    book(desk, 100)
    epochs = LedgerEntry.objects.order_by("epoch").values_list("epoch", flat=True).distinct()
    assert list(epochs) == [1, 2]
    read()
    assert LedgerEntry.objects.count() == 135
    assert Position.objects.get().quantity == 135
    assert verify() == []
    assert drain(POSITIONS, desk.account.pk % 16).state is State.DRAINED
