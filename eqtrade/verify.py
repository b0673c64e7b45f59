"""Every projection against the trades, in one snapshot."""

from django.db import connection, transaction

from pnl.verifying import pnl_breaks
from positions.verifying import position_breaks
from trades.verifying import Break, ledger_breaks


def verify() -> list[Break]:
    """All breaks, none when every number is right. Reads only; bookings and readers go on."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return [*ledger_breaks(), *position_breaks(), *pnl_breaks()]
