"""Each test process has a PostgreSQL cluster of its own: the ledger's horizon is one for the whole
cluster, so processes that shared one would hold up each other's readers."""

import shutil
from collections.abc import Iterator

import hypothesis
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from environ import Env
from psycopg import connect
from pytest_django.plugin import DjangoDbBlocker

from eqtrade.up.postgres import PostgresServer
from tests.migrated_once import migrated_once

pytest_plugins = ["tests.stack", "tests.yahoo.server"]

# No time decides a test: an example, and making it, may take as long as a busy machine needs.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")

# Passwords here keep nothing safe, and the real hash takes a second on purpose.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Filled by migrations, not by tests.
KEPT_TABLES = (
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "trades_ledgerepoch",
    "prices_calendarstamp",
    "prices_settlementday",
    "django_celery_beat_",
)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Refuse a name made of a set: its order differs from process to process, and the processes
    that share the tests would not agree on their names."""
    given = getattr(item, "callspec", None)
    for value in given.params.values() if given else ():
        if isinstance(value, set | frozenset) and len(value) > 1 and repr(value) in item.name:
            raise pytest.UsageError(f"{item.nodeid}: name this test by a list, not by a set")


@pytest.fixture(scope="session")
def cluster() -> Iterator[PostgresServer]:
    """A running cluster with the owner's and the runtime role."""
    with PostgresServer.temporary() as server:
        yield server


@pytest.fixture(scope="session")
def django_db_setup(
    cluster: PostgresServer,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    """Migrate as the owner, then be the runtime role, as the system does."""

    def migrate() -> None:
        be(cluster.url("owner"))
        call_command("migrate", verbosity=0)
        with open("/dev/null", "w") as nowhere:
            call_command("grant_runtime", "eqtrade", stdout=nowhere)
        connection.close()

    with django_db_blocker.unblock():
        kept = migrated_once(cluster, tmp_path_factory, migrate)
        be(cluster.url("runtime"))
    yield
    if kept is not None:
        shutil.rmtree(kept, ignore_errors=True)
    with django_db_blocker.unblock():
        connections.close_all()


def be(url: str) -> None:
    """Make the default connection one to this URL."""
    connection.close()
    parsed = Env.db_url_config(url)
    for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT"):
        connection.settings_dict[name] = parsed.get(name, "")
    connection.settings_dict["OPTIONS"] = parsed.get("OPTIONS", {})


@pytest.fixture
def committed_db(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, cluster: PostgresServer
) -> Iterator[PostgresServer]:
    """Real commits, for what must be seen by other connections: the ledger's readers see nothing
    of a test's own open transaction. Afterwards every table is empty again."""
    with django_db_blocker.unblock():
        try:
            yield cluster
        finally:
            connection.close()
            wipe(cluster)


@pytest.fixture
def elsewhere(committed_db: PostgresServer) -> Iterator[PostgresServer]:
    """An empty cluster, to migrate step by step; afterwards the connection is to the first one
    again."""
    with PostgresServer.temporary() as other:
        be(other.url("owner"))
        yield other
        be(committed_db.url("runtime"))


def wipe(cluster: PostgresServer) -> None:
    """Empty all tables. Only the superuser can: the triggers stop everybody else."""
    with connect(cluster.url("superuser", "eqtrade"), autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        tables = owner.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            # What nothing was ever written to has no pages; a table of partitions never has.
            " AND (relkind = 'p' OR relkind = 'r' AND pg_relation_size(oid) > 0) ORDER BY 1"
        ).fetchall()
        wiped = [t for (t,) in tables if not t.startswith(KEPT_TABLES)]
        emptied = [f'DELETE FROM "{t}"' for t in wiped]
        # As the trigger on overrides would, which does not fire here.
        restamped = "UPDATE prices_calendarstamp SET stamp = gen_random_uuid()"
        owner.execute("; ".join([*emptied, restamped]).encode())
