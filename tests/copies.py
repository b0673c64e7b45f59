"""Copies of a running test cluster, by PostgreSQL's own means."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from eqtrade.up.accounts import server_account
from eqtrade.up.binaries import postgres_bin
from eqtrade.up.postgres import ROLE_NAMES, PostgresServer


def copy_of(
    origin: PostgresServer, home: Path, *options: str, settings: Mapping[str, str] | None = None
) -> PostgresServer:
    """A copy in `home`, not started. `options` are pg_basebackup's; without `--write-recovery-conf`
    it begins a life of its own. It has the identifier and the passwords of its origin."""
    account = server_account()
    home.mkdir(exist_ok=True)
    home.chmod(0o711)
    data = home / "data"
    account.own_directory(data)
    subprocess.run(
        [
            postgres_bin(account) / "pg_basebackup",
            *("--pgdata", data, "--wal-method", "stream"),
            *("--checkpoint", "fast", "--no-sync", *options),
            *("--host", origin.socket_dir, "--username", ROLE_NAMES["superuser"]),
        ],
        check=True,
        capture_output=True,
        cwd="/",
        env={"PGPASSWORD": origin.passwords.superuser, "HOME": str(home)},
        **account.identity(),
    )
    server = PostgresServer(data, home / "s", origin.passwords, durable=False)
    account.own_directory(server.socket_dir)
    server._write_settings()
    with (data / "postgresql.auto.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in (settings or {}).items())
    return server
