"""An upgrade of trades of 6 decimals: nothing is written anew, what was refused is taken, and what
must not be is refused as before."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from eqtrade.up.postgres import PostgresServer

BEFORE, AFTER = "0012", "0018"
TABLES = ("trades_trade", "trades_tradeversion", "trades_ledgerentry")
CONSTRAINTS = (
    "entry_counts_one", "entry_signed_alike",
    *(
        f"{prefix}_{name}"
        for prefix in ("trade", "version")
        for name in ("quantity_range", "price_range", "side_known", "status_known")
    ),
)  # fmt: skip
GROUND = """
    INSERT INTO auth_user (id, username, password, is_superuser, first_name, last_name, email,
                           is_staff, is_active, date_joined)
    VALUES (1, 'trader', '', false, '', '', '', false, true, now());
    INSERT INTO accounts_account (id, code, name, can_short, is_active)
    VALUES (1, 'Test1', '', true, true);
    INSERT INTO prices_instrument (id, ticker, name, exchange, currency, yahoo_symbol, is_active,
                                   indices)
    VALUES (1, 'IBM', '', 'XNYS', 'USD', 'IBM', true, '{}');
"""
# A trade with its version and entry, in one statement.
BOOK = """
    WITH t AS (
        INSERT INTO trades_trade (id, account_id, instrument_id, side, quantity, price, trade_date,
            executed_at, note, version, status, booked_at, booked_by_id)
        VALUES (gen_random_uuid(), 1, 1, 'buy', %(quantity)s, %(price)s, '2026-03-18', now(),
            %(note)s, 1, 'booked', now(), 1) RETURNING *
    ), v AS (
        INSERT INTO trades_tradeversion (trade_id, account_id, instrument_id, side, quantity, price,
            trade_date, executed_at, note, version, status, actor_id, reason)
        SELECT id, 1, 1, side, quantity, price, trade_date, executed_at, note, 1, status, 1, ''
          FROM t
    )
    INSERT INTO trades_ledgerentry (account_id, instrument_id, trade_date, quantity, notional,
        trades, trade_id, version)
    SELECT 1, 1, trade_date, quantity, quantity * price, 1, id, 1 FROM t
"""


def book(quantity: str, price: str, note: str = "") -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(BOOK, {"quantity": quantity, "price": price, "note": note})


@contextmanager
def refused_by(name: str) -> Iterator[None]:
    with pytest.raises(DatabaseError, match=name):
        yield


def rows(sql: str, *params: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def files() -> list[Any]:
    """Where the tables and their indexes lie: another file, if they were written anew."""
    return rows(
        "SELECT c.relname, pg_relation_filenode(c.oid) FROM pg_class c LEFT JOIN pg_index x"
        " ON x.indexrelid = c.oid WHERE coalesce(x.indrelid, c.oid) = ANY(%s::regclass[])"
        " ORDER BY 1",
        list(TABLES),
    )


def migrate(to: str) -> None:
    call_command("migrate", "trades", to, verbosity=0)


def test_no_table_is_written_anew_and_the_constraints_hold(elsewhere: PostgresServer) -> None:
    migrate(BEFORE)
    with connection.cursor() as cursor:
        cursor.execute(GROUND)
    book("2.5", "0.000001")
    with refused_by("price_range"):
        book("1", "0", "Free shares")
    before = files()
    assert len(before) > 10
    migrate(AFTER)
    assert files() == before
    valid = "SELECT convalidated FROM pg_constraint WHERE conname = ANY(%s)"
    assert rows(valid, list(CONSTRAINTS)) == [(True,)] * len(CONSTRAINTS)
    # As it was, and its numbers as they were.
    assert rows("SELECT quantity::text, price::text FROM trades_trade") == [
        ("2.500000", "0.000001")
    ]

    book("999999999.9999999999", "0.0000000001")
    book("1.00000000000000", "1")
    book("1", "0", "Free shares")
    for quantity, price, note, name in [
        ("1.00000000001", "1", "", "trade_quantity_range"),
        ("1000000000.0000000001", "1", "", "trade_quantity_range"),
        ("0", "1", "", "trade_quantity_range"), ("NaN", "1", "", "trade_quantity_range"),
        ("1", "0.00000000001", "", "trade_price_range"), ("1", "0", "", "trade_price_range"),
        ("1", "-1", "Free", "trade_price_range"), ("1", "NaN", "Free", "trade_price_range"),
    ]:  # fmt: skip
        with refused_by(name):
            book(quantity, price, note)
    for changed, name in [
        ("side = 'hold'", "trade_side_known"), ("side = 'BUY'", "trade_side_known"),
        ("status = 'dead', version = 2", "trade_status_known"),
    ]:  # fmt: skip
        with refused_by(name):
            rows(f"UPDATE trades_trade SET {changed} RETURNING id")
    entry = "INSERT INTO trades_ledgerentry (account_id, instrument_id, trade_date, quantity,"
    entry += " notional, trades, trade_id, version) SELECT 1, 1, trade_date, %s, %s, %s, id, 1"
    for quantity, notional, trades, name in [
        ("1", "-1", 1, "entry_signed_alike"), ("-1", "1", -1, "entry_signed_alike"),
        ("0", "0", 1, "entry_signed_alike"), ("1", "1", 0, "entry_counts_one"),
        ("1", "1", 2, "entry_counts_one"),
    ]:  # fmt: skip
        with refused_by(name):
            rows(f"{entry} FROM trades_trade LIMIT 1 RETURNING id", quantity, notional, trades)


def test_it_can_be_undone_unless_something_would_be_lost(elsewhere: PostgresServer) -> None:
    migrate(AFTER)
    with connection.cursor() as cursor:
        cursor.execute(GROUND)
    book("2.5", "0.000001")
    migrate(BEFORE)
    assert rows("SELECT quantity::text, price::text FROM trades_trade") == [
        ("2.500000", "0.000001")
    ]
    migrate(AFTER)
    book("0.0000001", "1")
    with pytest.raises(DatabaseError, match="of more than 6 decimals"):
        migrate(BEFORE)
    assert [quantity for (quantity,) in rows("SELECT quantity FROM trades_tradeversion")]
    migrate(AFTER)
