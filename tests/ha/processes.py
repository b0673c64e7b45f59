"""The system as processes on loopback: the laptop's parts beside a cluster of deploy/ha."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from eqtrade.up.options import PROJECT
from tests.ha.cluster import PASSWORDS, Cluster
from tests.ha.system import Members, Part, wait_two
from tests.stack.client import Client
from tests.stack.running import RunningStack


class Processes:
    """One nginx, one of each part: what dies here is a database."""

    parts: tuple[Part, ...] = ()
    account = "Desk01"

    def __init__(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="eqtrade-ha-"))
        # PostgreSQL's account must be able to enter.
        self._home.chmod(0o711)
        self._cluster = Cluster(self._home / "cluster")
        self.servers = self._cluster.nodes
        self._stack = RunningStack(
            self._home / "stack",
            settings={
                "DATABASE_URL": self._cluster.url("eqtrade", PASSWORDS["runtime"]),
                "DATABASE_OWNER_URL": self._cluster.url("eqtrade_owner", PASSWORDS["owner"]),
                "DATABASE_READ_URL": self._cluster.url(
                    "eqtrade", PASSWORDS["runtime"], session="standby"
                ),
                "DATABASE_SYNCHRONOUS": "1",
                "LOG_LEVEL": "WARNING",
            },
        )

    def start(self) -> None:
        self._cluster.start()
        wait_two(self)
        subprocess.run(
            [sys.executable, "-m", "eqtrade.database_roles"],
            cwd=PROJECT,
            check=True,
            stdout=subprocess.DEVNULL,
            env={
                "PATH": os.environ["PATH"],
                "ADMIN_DATABASE_URL": self._cluster.url(
                    "postgres", PASSWORDS["superuser"], "postgres"
                ),
                "OWNER_PASSWORD": PASSWORDS["owner"],
                "DATABASE_PASSWORD": PASSWORDS["runtime"],
            },
        )
        self._stack.start()

    def end(self) -> None:
        self._stack.stop()
        self._cluster.end()
        shutil.rmtree(self._home, ignore_errors=True)

    def keep_logs(self) -> str:
        kept = f"{self._home}-kept"
        shutil.copytree(self._home, kept, ignore=shutil.ignore_patterns("data", "etcd?", "*.sock"))
        return kept

    def client(self) -> Client:
        return self._stack.client("trader")

    def members(self) -> Members:
        return self._cluster.members()

    def sql(self, statement: str) -> list[tuple[str, ...]]:
        with psycopg.connect(self._cluster.url("postgres", PASSWORDS["superuser"])) as database:
            rows = database.execute(statement.encode()).fetchall()
        return [tuple(map(str, row)) for row in rows]

    def manage(self, command: str) -> str:
        return self._stack.manage(command)
