"""A cluster of its own for the benchmarks of the ledger, filled with as many entries as asked.

It is not durable (fsync off) and lies on this machine's disk: the figures compare ways of doing the
same work in the same run, they promise nothing about another machine.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import Connection, connect

from eqtrade.up.postgres import PostgresServer

ACCOUNTS = 64
INSTRUMENTS = 500
CHUNK = 100_000
FILLED = ("trades_trade", "trades_tradeversion", "trades_ledgerentry")


@dataclass(frozen=True)
class Ground:
    """A migrated cluster; Django's default connection is the runtime role's."""

    cluster: PostgresServer

    def superuser(self) -> "Connection[tuple[object, ...]]":
        return connect(self.cluster.url("superuser", "eqtrade"), autocommit=True)

    def fill(self, entries: int) -> None:
        """Add entries of random keys, 60 trade dates, in transactions of 100,000. Foreign keys are
        not checked, so that filling does not take longer than measuring."""
        with self.superuser() as root:
            root.execute("SET session_replication_role = replica")
            for start in range(0, entries, CHUNK):
                root.execute(
                    """
                    INSERT INTO trades_ledgerentry (account_id, instrument_id, trade_date, quantity,
                        notional, trades, trade_id, version, recorded_at)
                    SELECT 1 + floor(random() * %(accounts)s), 1 + floor(random() * %(names)s),
                           date '2026-01-05' + (n %% 60), q, q * 100, 1,
                           gen_random_uuid(), 1, clock_timestamp()
                      FROM (SELECT n, (1 + n %% 100) * (CASE n %% 2 WHEN 0 THEN 1 ELSE -1 END) AS q
                              FROM generate_series(1, %(rows)s) n) g
                    """,
                    {
                        "accounts": ACCOUNTS,
                        "names": INSTRUMENTS,
                        "rows": min(CHUNK, entries - start),
                    },
                )
            root.execute("VACUUM ANALYZE trades_ledgerentry")

    def fill_trades(self, entries: int) -> None:
        """Add as many trades of random keys, 60 trade dates, each with its first version and its
        entry, booked by the first user, in transactions of 100,000. Foreign keys are unchecked."""
        with self.superuser() as root, _without_indexes(root, FILLED):
            root.execute("SET session_replication_role = replica")
            for start in range(0, entries, CHUNK):
                root.execute(
                    """
                    WITH g AS MATERIALIZED (
                        SELECT uuidv7() AS id, 1 + floor(random() * %(accounts)s) AS account_id,
                               1 + floor(random() * %(names)s) AS instrument_id,
                               CASE n %% 2 WHEN 0 THEN 'buy' ELSE 'sell' END AS side,
                               1 + n %% 100 AS quantity,
                               80 + (n * 37 %% 4001) / 100.0 AS price,
                               date '2026-01-05' + (n %% 60) AS trade_date,
                               now() + n * interval '1 microsecond' AS at,
                               (SELECT min(id) FROM auth_user) AS user_id
                          FROM generate_series(1, %(rows)s) n
                    ), t AS (
                        INSERT INTO trades_trade (id, account_id, instrument_id, side, quantity,
                            price, trade_date, executed_at, note, version, status, booked_at,
                            booked_by_id)
                        SELECT id, account_id, instrument_id, side, quantity, price, trade_date, at,
                               '', 1, 'booked', at, user_id FROM g
                    ), v AS (
                        INSERT INTO trades_tradeversion (trade_id, account_id, instrument_id, side,
                            quantity, price, trade_date, executed_at, note, version, status,
                            actor_id, reason)
                        SELECT id, account_id, instrument_id, side, quantity, price, trade_date, at,
                               '', 1, 'booked', user_id, '' FROM g
                    )
                    INSERT INTO trades_ledgerentry (account_id, instrument_id, trade_date, quantity,
                        notional, trades, trade_id, version)
                    SELECT account_id, instrument_id, trade_date, signed, signed * price, 1, id, 1
                      FROM (SELECT *, CASE side WHEN 'buy' THEN quantity ELSE -quantity END
                                      AS signed FROM g) s
                    """,
                    {
                        "accounts": ACCOUNTS,
                        "names": INSTRUMENTS,
                        "rows": min(CHUNK, entries - start),
                    },
                )

    def read_all(self) -> None:
        """Bring positions and P&L activity to the ledger's end in one bare statement a table,
        where draining by the readers themselves is not what is measured. Of cost there are no
        rows; its reader counts as having read."""
        with self.superuser() as root:
            root.execute("SET session_replication_role = replica")
            root.execute("SET work_mem = '256MB'")
            root.execute(
                "TRUNCATE positions_position, pnl_holding, pnl_dailyactivity, pnl_cost,"
                " trades_checkpoint"
            )
            for table, stamp, now in (
                ("positions_position", ", updated_at", ", now()"),
                ("pnl_holding", "", ""),
            ):
                root.execute(
                    f"INSERT INTO {table} (account_id, instrument_id, quantity, last_entry{stamp})"
                    " SELECT account_id, instrument_id, sum(quantity),"
                    f" (max(ARRAY[epoch, txid::text::bigint, id]))[3]{now}"
                    " FROM trades_ledgerentry GROUP BY 1, 2".encode()
                )
            root.execute(
                "INSERT INTO pnl_dailyactivity (account_id, trade_date, instrument_id, quantity,"
                " notional, trades) SELECT account_id, trade_date, instrument_id, sum(quantity),"
                " sum(notional), sum(trades) FROM trades_ledgerentry GROUP BY 1, 2, 3"
            )
            root.execute(
                "INSERT INTO trades_checkpoint (consumer, shard, epoch, txid, entry_id)"
                " SELECT consumer, e.* FROM unnest(ARRAY['positions', 'pnl', 'cost']) consumer,"
                " (SELECT DISTINCT ON (shard) shard, epoch, txid, id FROM trades_ledgerentry"
                "   ORDER BY shard, epoch DESC, txid DESC, id DESC) e"
            )
            root.execute("VACUUM ANALYZE")

    def forget(self) -> None:
        """Take back what readers did: projections and checkpoints are empty again."""
        with self.superuser() as root:
            root.execute("SET session_replication_role = replica")
            root.execute(
                "TRUNCATE positions_position, pnl_holding, pnl_dailyactivity, pnl_cost,"
                " trades_checkpoint"
            )
            root.execute("VACUUM positions_position")


@contextmanager
def _without_indexes(
    root: "Connection[tuple[object, ...]]", tables: Sequence[str]
) -> Iterator[None]:
    """Filling is several times as fast when the indexes are built afterwards, in one go each.
    Those of constraints stay."""
    found = root.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND indexname NOT IN"
        " (SELECT conname FROM pg_constraint)",
        [list(tables)],
    ).fetchall()
    for name, _ in found:
        root.execute(f"DROP INDEX {name}".encode())
    yield
    root.execute("SET maintenance_work_mem = '512MB'")
    for _, definition in found:
        root.execute(str(definition).encode())


@contextmanager
def ledger_ground() -> Iterator[Ground]:
    """Start the cluster, migrate as the owner, fill accounts, instruments and one user."""
    with PostgresServer.temporary() as cluster:
        os.environ.update(
            {
                "DJANGO_SETTINGS_MODULE": "eqtrade.settings",
                "DATABASE_URL": cluster.url("owner"),
                "REDIS_URL": "unix:///nonexistent/valkey.sock",
                "SECRET_KEY": "not-secret-nothing-is-served-with-this-key-of-benchmarks",
                "LOG_LEVEL": "ERROR",
            }
        )
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        with open(os.devnull, "w") as nowhere:
            call_command("grant_runtime", "eqtrade", stdout=nowhere)
        connection.close()
        os.environ["DATABASE_URL"] = cluster.url("runtime")
        runtime = "eqtrade", cluster.passwords.of("runtime")
        connection.settings_dict["USER"], connection.settings_dict["PASSWORD"] = runtime
        ground = Ground(cluster)
        with ground.superuser() as root:
            root.execute(
                "INSERT INTO accounts_account (id, code, name, can_short, is_active)"
                " SELECT n, 'A' || n, '', true, true FROM generate_series(1, %s) n",
                [ACCOUNTS],
            )
            root.execute(
                "INSERT INTO prices_instrument (id, ticker, name, exchange, currency,"
                " yahoo_symbol, is_active, indices) SELECT n, 'T' || n, '', 'XNYS', 'USD',"
                " 'T' || n, true, '{}' FROM generate_series(1, %s) n",
                [INSTRUMENTS],
            )
        try:
            yield ground
        finally:
            connection.close()
