"""The two roles that the system uses, and its database: made or mended, on a laptop, in containers
and in a managed PostgreSQL alike.

The owner's role runs migrations and owns everything. The runtime role serves users: it owns
nothing, its rights come from `manage.py grant_runtime`, and its timeouts are set here.

    ADMIN_DATABASE_URL=postgres://… OWNER_PASSWORD=… DATABASE_PASSWORD=… \\
        python -m eqtrade.database_roles

makes them as the user of that URL: a superuser, or one with CREATEROLE and CREATEDB. A second run
gives the roles the passwords that are set then. Each variable may be named …_FILE instead.
"""

import sys
from collections.abc import Mapping
from contextlib import suppress

import psycopg
from psycopg import sql

from eqtrade.secret_files import MissingSecret, required_secret, with_password

OWNER = "eqtrade_owner"
RUNTIME = "eqtrade"
DATABASE = "eqtrade"

RUNTIME_SETTINGS: Mapping[str, str] = {
    # A transaction left open anywhere in the cluster holds back the ledger's horizon, and with
    # it every position: nothing that serves users may keep one open for long. Migrations and
    # rebuilds run as the owner, who has no such limits.
    "idle_in_transaction_session_timeout": "10s",
    "statement_timeout": "30s",
    "transaction_timeout": "60s",
    # Reads of a large ledger are estimated dear and end in milliseconds, as they look at little of
    # it: compiling each of them would take longer than running it.
    "jit": "off",
}


def create_roles(
    connection: psycopg.Connection,
    *,
    owner_password: str,
    runtime_password: str,
    may_create_databases: bool = False,
) -> None:
    """Make the roles and the owner's database, or mend them; needs an autocommit connection.

    `may_create_databases` lets the owner create further databases: for tests.
    """
    _create_role(connection, OWNER, owner_password)
    _create_role(connection, RUNTIME, runtime_password)
    owner, runtime = sql.Identifier(OWNER), sql.Identifier(RUNTIME)
    if may_create_databases:
        connection.execute(sql.SQL("ALTER ROLE {} CREATEDB").format(owner))
    for name, value in RUNTIME_SETTINGS.items():
        if _knows(connection, name):
            connection.execute(
                sql.SQL("ALTER ROLE {} SET {} = {}").format(
                    runtime, sql.Identifier(name), sql.Literal(value)
                )
            )
    # Who holds the ledger's horizon back may be another role's session: the age of it is shown. An
    # administrator who may not grant that leaves it out; `check --deploy` tells.
    with suppress(psycopg.errors.InsufficientPrivilege):
        connection.execute(sql.SQL("GRANT pg_read_all_stats TO {}").format(runtime))
    known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
    if known.fetchone() is None:
        _let_act_as(connection, owner)
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), owner)
        )


def _create_role(connection: psycopg.Connection, name: str, password: str) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(
            sql.SQL("ALTER" if known else "CREATE"), sql.Identifier(name), sql.Literal(password)
        )
    )
    powerful = connection.execute(
        "SELECT 1 FROM pg_roles WHERE rolname = %s AND rolsuper", [name]
    ).fetchone()
    if powerful:
        connection.execute(sql.SQL("ALTER ROLE {} NOSUPERUSER").format(sql.Identifier(name)))


def _knows(connection: psycopg.Connection, setting: str) -> bool:
    """Whether this version of PostgreSQL has the setting (transaction_timeout is of 17)."""
    return (
        connection.execute("SELECT 1 FROM pg_settings WHERE name = %s", [setting]).fetchone()
        is not None
    )


def _let_act_as(connection: psycopg.Connection, owner: sql.Identifier) -> None:
    """A managed database's administrator is no superuser, and gives away only what it could be."""
    superuser = connection.execute("SELECT current_setting('is_superuser')").fetchone()
    if superuser != ("on",):
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(owner))


def main() -> int:
    try:
        url = with_password(required_secret("ADMIN_DATABASE_URL"), "ADMIN_DATABASE_PASSWORD")
        owner, runtime = required_secret("OWNER_PASSWORD"), required_secret("DATABASE_PASSWORD")
    except MissingSecret as missing:
        sys.stderr.write(f"{missing}\n")
        return 1
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
        create_roles(connection, owner_password=owner, runtime_password=runtime)
    sys.stdout.write(f"{OWNER}, {RUNTIME} and the database {DATABASE} are as they must be\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
