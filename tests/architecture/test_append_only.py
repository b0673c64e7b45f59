"""Append-only tables are never changed: the runtime role's rights first, triggers second."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import DatabaseError, connection, transaction
from psycopg import Connection, connect, errors, sql

from audit.recording import record, refused
from blotter.models import ExceptionReview
from eqtrade.up.postgres import PostgresServer
from kernel import clock
from kernel.database import append_only_tables, kept_tables
from kernel.models import Confirmation
from pnl.models import AccountPnl
from positions.models import PositionSnapshot
from prices.actions.record import action_cancel, action_propose
from prices.actions.terms import LegTerms, Terms
from prices.models import CloseDoubt
from prices.sessions import sessions
from tests import factories as make
from trades.models import AskedVersion, Guard, GuardVersion, TradeTag, VersionFee

TABLES = [
    "audit_record",
    "blotter_exceptionreview",
    "django_admin_log",
    "kernel_confirmation",
    "pnl_accountpnl",
    "positions_positionsnapshot",
    "prices_cashinlieu",
    "prices_close",
    "prices_corporateactiondecision",
    "prices_corporateactionleg",
    "prices_corporateactionversion",
    "prices_settlementday",
    "trades_askedversion",
    "trades_guardversion",
    "trades_ledgerentry",
    "trades_tradetag",
    "trades_tradeversion",
    "trades_versionfee",
]

KEPT = [
    "accounts_counterparty",
    "accounts_entitlement",
    "accounts_strategy",
    "audit_refusal",
    "auth_user",
    "prices_closedoubt",
    "prices_corporateaction",
    "prices_priceoverride",
    "trades_accountgroup",
    "trades_breach",
    "trades_feeschedule",
    "trades_guard",
    "trades_limit",
]


@pytest.fixture
def one_of_each(committed_db: PostgresServer) -> PostgresServer:
    now = clock.now()
    user, account, ibm = make.make_user(), make.make_account(), make.make_instrument()
    make.make_close(ibm, now.date(), "100")
    Confirmation.objects.create(nonce=uuid4(), what="override", codes=["far_off"], user=user)
    CloseDoubt.objects.create(
        instrument=ibm, session=now.date(), source="yahoo", kind="moved", price=10,
        compared_with=100, raised_at=now,
    )  # fmt: skip
    make.make_instrument("KD")
    action = action_propose(
        user=user, reason="x",
        terms=Terms(
            "spin_off", "IBM", sessions().business_date(now),
            legs=(LegTerms("KD", Decimal(1), Decimal(5), Decimal(0)),), cash_in_lieu=Decimal(40),
        ),
    )  # fmt: skip
    action_cancel(user=user, action_id=action.pk, version=1, reason="x")
    ExceptionReview.objects.create(kind="late", key="x", reviewed_by=user, comment="x")
    LogEntry.objects.log_actions(user.pk, [account], CHANGE, "", single_object=True)
    with transaction.atomic():
        trade = make.make_trade(user, account, ibm, "5", "10", trade_date=now.date(), at=now)
    VersionFee.objects.create(trade=trade, version=1, kind="tax", amount=1, source="entered")
    guard = Guard.objects.create(code="late", changed_by=user)
    GuardVersion.objects.create(guard=guard, changed_by=user)
    AskedVersion.objects.create(id=uuid4(), trade=trade, version=1, found=[])
    TradeTag.objects.create(trade=trade, tag="block", is_added=True, actor=user)
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


@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize("change", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_what_is_kept_is_not_deleted(one_of_each: PostgresServer, table: str, change: str) -> None:
    with pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(change.format(table))


def test_these_are_kept() -> None:
    assert kept_tables() == KEPT


def test_the_runtime_role_reaches_months_by_the_table_alone(committed_db: PostgresServer) -> None:
    with pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit.rest")


def test_refusals_only_grow(committed_db: PostgresServer) -> None:
    refused(door="token", name="x", now=clock.now())
    for change in ("count = count - 1", "count = count", "name = 'y', count = count + 1"):
        with pytest.raises(DatabaseError, match="only grows"), connection.cursor() as cursor:
            cursor.execute(f"UPDATE audit_refusal SET {change}")
    with _owner(committed_db) as owner, pytest.raises(errors.RaiseException):
        owner.execute("DELETE FROM audit_refusal")


def test_the_owner_deletes_and_renames_nobody_who_is_on_record(
    committed_db: PostgresServer,
) -> None:
    user = make.make_user("somebody")
    make.make_user("nobody")
    record("test", actor=user)
    with _owner(committed_db) as owner:
        for change in ("DELETE FROM auth_user", "UPDATE auth_user SET username = 'else'"):
            with pytest.raises(errors.RestrictViolation, match="deactivate"):
                owner.execute(f"{change} WHERE username = 'somebody'")
            owner.execute(f"{change} WHERE username = 'nobody'")


def test_an_override_is_ended_and_nothing_else_of_it_changes(one_of_each: PostgresServer) -> None:
    for change in ("price = 1", "user_id = 1", "reason = 'x'", "expires_at = now()"):
        with pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as c:
            c.execute(f"UPDATE prices_priceoverride SET {change}")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE prices_priceoverride SET ended_at = now()")


def test_a_doubt_is_decided_once(one_of_each: PostgresServer) -> None:
    def change(how: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE prices_closedoubt SET {how}")

    for how in ("price = 1", "session = now()", "source = 'x'", "raised_at = now()"):
        with pytest.raises(DatabaseError, match="permission denied"):
            change(how)
    for how, wrong in (
        ("state = 'overtaken'", "doubt_decided_at"),
        ("state = 'refused', decided_at = now(), reason = 'x'", "by_a_person"),
        ("reason = 'x', decided_by_id = 1", "by_a_person"),
    ):
        with pytest.raises(DatabaseError, match=wrong):
            change(how)
    decided = "decided_at = now(), decided_by_id = (SELECT min(id) FROM auth_user), reason = 'x'"
    change(f"state = 'refused', {decided}")
    with pytest.raises(DatabaseError, match="decided once"):
        change(f"state = 'released', {decided}")
    with _owner(one_of_each) as owner, pytest.raises(errors.RaiseException):
        owner.execute("DELETE FROM prices_closedoubt")


def test_the_runtime_role_is_no_owner_and_no_superuser(committed_db: PostgresServer) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, False)
        cursor.execute("SELECT count(*) FROM pg_tables WHERE tableowner = current_user")
        assert cursor.fetchone() == (0,)


def _owner(cluster: PostgresServer) -> Connection:
    return connect(cluster.url("owner"), autocommit=True)
