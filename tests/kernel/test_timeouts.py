"""Timeouts: transactions that may be slow, and those that may also pause."""

import pytest
from django.db import connection, transaction

from eqtrade.up.postgres import PostgresServer
from kernel.database import lift_timeouts


@pytest.mark.parametrize(("mode", "idle"), [("READ ONLY", "0"), ("READ WRITE", "10s")])
def test_only_what_only_reads_may_pause(committed_db: PostgresServer, mode: str, idle: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET TRANSACTION {mode}")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '10s'")
        cursor.execute("SET LOCAL statement_timeout = '5s'")
        lift_timeouts(cursor)
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == (idle,)
