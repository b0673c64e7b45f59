"""Statements that are asked often: parsed and planned once a connection, not once a request.

    for code, quantity in prepared.rows("SELECT … WHERE account_id = %s", [account.pk]): …
    found = prepared.row("SELECT … WHERE key = %(key)s", {"key": key})

They run on Django's connection, inside its transaction when there is one, and are counted and
logged with all others (`assertNumQueries`, `connection.queries`).

Parameters are bound by the server: SQL says the type where the place does not (`%s::date IS NULL`,
`%s::int` for a function's integer). A whole number is a bigint. A text is a statement of its own
for each combination of types, and None has no type: a parameter that can be None makes two of it.

In api and ws a statement has one plan, whatever the values (`plan_cache_mode`): planning one that
joins a dozen tables costs more than running it. `rows_planned` is for the others.

A rollback makes psycopg forget a connection's statements; what rolls back often is planned often.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import NotSupportedError
from django.db.backends.utils import CursorWrapper

from kernel.postgres.base import DatabaseWrapper, default_database

Row = tuple[Any, ...]
Params = Sequence[Any] | Mapping[str, Any]


def rows(sql: str, params: Params = ()) -> list[Row]:
    """All rows of one statement; none of one that returns no rows.

    A migration may change the type of a column while connections hold plans that return it. Outside
    of a transaction such a plan is made anew; inside one, the transaction is lost by then."""
    database = default_database()
    try:
        return _run(database, sql, params)
    except NotSupportedError as error:
        if database.in_atomic_block or not _is_outdated_plan(error):
            raise
        database.forget_prepared()
        return _run(database, sql, params)


def row(sql: str, params: Params = ()) -> Row | None:
    """The first row of one statement, or None."""
    found = rows(sql, params)
    return found[0] if found else None


def rows_planned(sql: str, params: Params = ()) -> list[Row]:
    """All rows of one statement that is planned for these very values: for those where the values
    decide which plan is right, such as a list of accounts that may be all of them."""
    return _run(default_database(), sql, params, prepare=False)


# Up to so many accounts, rows are best found one account after the other, whatever they hold.
FEW_ACCOUNTS = 16


def rows_of_accounts(sql: str, params: Mapping[str, Any], *, few: int = FEW_ACCOUNTS) -> list[Row]:
    """`rows` where there are few `accounts` among the parameters, else `rows_planned`."""
    return (rows if len(params["accounts"]) <= few else rows_planned)(sql, params)


def array(values: Iterable[object]) -> str:
    """Numbers, days, times or ids as PostgreSQL reads an array of them, for `%s::date[]`. psycopg
    would write a list element by element in Python: 0.4 ms for the sessions of a year."""
    return "{" + ",".join([str(value) for value in values]) + "}"


def cursor() -> CursorWrapper:
    """For a function that is given one: what it executes is prepared. It is the connection's own,
    so nobody closes it, and a statement's rows are read before the next one."""
    found = default_database().prepared_cursor()
    found.cursor.is_prepared = True
    return found


def _run(database: DatabaseWrapper, sql: str, params: Params, *, prepare: bool = True) -> list[Row]:
    cursor = database.prepared_cursor()
    cursor.cursor.is_prepared = prepare
    cursor.execute(sql, params)
    # Its description would make an object of each column only to tell whether there are any.
    answer = cursor.cursor.pgresult
    return cursor.fetchall() if answer is not None and answer.nfields else []


def _is_outdated_plan(error: NotSupportedError) -> bool:
    """ "cached plan must not change result type", in whatever language the server says it."""
    diagnostics = getattr(error.__cause__, "diag", None)
    return getattr(diagnostics, "source_function", None) == "RevalidateCachedQuery"
