"""Append-only tables are never changed: the runtime role's rights first, triggers second."""

import pytest
from django.db import DatabaseError, connection, transaction
from psycopg import Connection, connect, errors, sql

from eqtrade.up.postgres import PostgresServer
from kernel import clock
from kernel.database import append_only_tables
from pnl.models import AccountPnl
from positions.models import PositionSnapshot
from tests import factories as make

TABLES = [
    "pnl_accountpnl",
    "positions_positionsnapshot",
    "prices_close",
    "trades_ledgerentry",
    "trades_tradeversion",
]


@pytest.fixture
def one_of_each(committed_db: PostgresServer) -> PostgresServer:
    now = clock.now()
    user, account, ibm = make.make_user(), make.make_account(), make.make_instrument()
    make.make_close(ibm, now.date(), "100")
    with transaction.atomic():
        make.make_trade(user, account, ibm, "5", "10", trade_date=now.date(), at=now)
    PositionSnapshot.objects.create(
        session=now.date(), account=account, instrument=ibm, quantity=5, close=100
    )
    AccountPnl.objects.create(
        account=account, session=now.date(), at=now, trade_pnl=1, position_pnl=1, pnl_valid=True
    )
    return committed_db


def test_these_are_the_append_only_tables() -> None:
    assert append_only_tables() == TABLES


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "change", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
def test_the_runtime_role_may_not(one_of_each: PostgresServer, table: str, change: str) -> None:
    with pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(change.format(table))


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "change", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
def test_the_owner_is_stopped_by_triggers(
    one_of_each: PostgresServer, table: str, change: str
) -> None:
    with _owner(one_of_each) as owner, pytest.raises(errors.RaiseException):
        owner.execute(sql.SQL(change).format(sql.Identifier(table)))


def test_the_runtime_role_is_no_owner_and_no_superuser(committed_db: PostgresServer) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, False)
        cursor.execute("SELECT count(*) FROM pg_tables WHERE tableowner = current_user")
        assert cursor.fetchone() == (0,)


def _owner(cluster: PostgresServer) -> Connection:
    return connect(cluster.url("owner"), autocommit=True)
