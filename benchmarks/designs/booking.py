"""Bookings as a bare WSGI function: no framework, two statements.

`/bare/` finds user, account, right and instrument by the token in one prepared SELECT, and writes
trade, version and entry in one statement. `/usual/` finds the same, then locks the row of the
position, inserts the trade and updates the row, in a transaction of the request.
"""

import os
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
import psycopg
import uuid_utils
from psycopg.types.numeric import Int8Dumper

from benchmarks.designs import TRADE_DATE, statements

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]

_local = threading.local()


def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Book what was sent; 201 when it is committed."""
    path = environ["PATH_INFO"]
    if path not in _WAYS:
        return _answer(start_response, "404 Not Found", {})
    body = orjson.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    asked = {
        "token": environ["HTTP_AUTHORIZATION"].removeprefix("Token "),
        "account": body["account"],
        "ticker": body["ticker"],
    }
    database = _database()
    found = database.execute(statements.LOOKUP, asked, prepare=True).fetchone()
    if found is None:
        return _answer(start_response, "403 Forbidden", {})
    user, account, instrument = found
    trade = {
        "id": str(uuid_utils.uuid7()),
        "account": account,
        "instrument": instrument,
        "side": body["side"],
        "quantity": Decimal(body["quantity"]),
        "price": Decimal(body["price"]),
        "trade_date": date.fromisoformat(os.environ[TRADE_DATE]),
        "user": user,
    }
    _WAYS[path](database, trade)
    return _answer(start_response, "201 Created", {**body, "id": trade["id"], "version": 1})


def _bare(database: psycopg.Connection[Any], trade: dict[str, Any]) -> None:
    database.execute(statements.WRITE, trade, prepare=True)


def _usual(database: psycopg.Connection[Any], trade: dict[str, Any]) -> None:
    trade["at"] = datetime.now(UTC)
    with database.transaction():
        row = database.execute(statements.USUAL_LOCK, trade, prepare=True).fetchone()
        assert row is not None
        database.execute(statements.USUAL_TRADE, trade, prepare=True)
        signed = trade["quantity"] if trade["side"] == "buy" else -trade["quantity"]
        changed = {
            **trade,
            "quantity": row[0] + signed,
            "notional": row[1] + signed * trade["price"],
        }
        database.execute(statements.USUAL_UPDATE, changed, prepare=True)


_WAYS: dict[str, Callable[[psycopg.Connection[Any], dict[str, Any]], None]] = {
    "/bare/": _bare,
    "/usual/": _usual,
}


def _database() -> psycopg.Connection[Any]:
    """This thread's own connection."""
    found: psycopg.Connection[Any] | None = getattr(_local, "database", None)
    if found is None:
        found = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
        # One statement is prepared once, whatever the size of its numbers.
        found.adapters.register_dumper(int, Int8Dumper)
        _local.database = found
    return found


def _answer(start_response: StartResponse, status: str, body: Any) -> list[bytes]:
    content = orjson.dumps(body)
    start_response(
        status, [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
    )
    return [content]
