"""Statements that are asked often: parsed and planned once a connection, not once a request."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection

Row = tuple[Any, ...]
Params = Sequence[Any] | Mapping[str, Any]


def rows(sql: str, params: Params = ()) -> list[Row]:
    """All rows of one statement."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        found: list[Row] = cursor.execute(sql, params, prepare=True).fetchall()
        return found


def row(sql: str, params: Params = ()) -> Row | None:
    """The first row of one statement, or None."""
    found = rows(sql, params)
    return found[0] if found else None
