"""Three etcd and two PostgreSQL under Patroni, as processes on loopback, set by deploy/ha."""

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import requests

from deploy.ha_tools import ETCD, PYTHON
from eqtrade.up.accounts import ServerAccount, server_account
from eqtrade.up.binaries import postgres_bin
from eqtrade.up.options import PROJECT
from tests.ha.system import READY_SECONDS, Members
from tests.stack.eventually import eventually
from tests.stack.running import free_port
from tests.stack.signalling import signal_all

HOST = "127.0.0.1"
SETTINGS = PROJECT / "deploy" / "ha" / "patroni.yml"
PASSWORDS = {"superuser": "s-of-tests", "replication": "r-of-tests", "owner": "o", "runtime": "u"}


class Etcd:
    """One of three."""

    def __init__(self, name: str, home: Path) -> None:
        self.name, self.home = name, home
        self.client, self.peer = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, all_peers: str) -> None:
        peer, client = f"http://{HOST}:{self.peer}", f"http://{HOST}:{self.client}"
        with (self.home / f"{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(ETCD, "--name", self.name, "--data-dir", self.home / self.name),
                    *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
                    *("--listen-client-urls", client, "--advertise-client-urls", client),
                    *("--initial-cluster", all_peers, "--initial-cluster-state", "new"),
                    *("--logger", "zap", "--log-level", "warn"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Node:
    """A server: Patroni and its PostgreSQL."""

    def __init__(self, name: str, home: Path, etcd: str, account: ServerAccount) -> None:
        self.name, self.home, self._account = name, home, account
        self.port, self.rest = free_port(), free_port()
        self.data = home / "data"
        self.log = home / "patroni.log"
        account.own_directory(home)
        self._patroni: subprocess.Popen[bytes] | None = None
        self._environment = {
            "PATH": os.defpath,
            "HOME": str(home),
            "PATRONI_NAME": name,
            "PATRONI_ETCD3_HOSTS": etcd,
            "PATRONI_RESTAPI_LISTEN": f"{HOST}:{self.rest}",
            "PATRONI_RESTAPI_CONNECT_ADDRESS": f"{HOST}:{self.rest}",
            "PATRONI_POSTGRESQL_LISTEN": f"{HOST}:{self.port}",
            "PATRONI_POSTGRESQL_CONNECT_ADDRESS": f"{HOST}:{self.port}",
            "PATRONI_POSTGRESQL_DATA_DIR": str(self.data),
            "PATRONI_POSTGRESQL_BIN_DIR": str(postgres_bin(account)),
            "PATRONI_POSTGRESQL_PGPASS": str(home / "pgpass"),
            "PATRONI_SUPERUSER_USERNAME": "postgres",
            "PATRONI_SUPERUSER_PASSWORD": PASSWORDS["superuser"],
            "PATRONI_REPLICATION_USERNAME": "replicator",
            "PATRONI_REPLICATION_PASSWORD": PASSWORDS["replication"],
        }

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._patroni = subprocess.Popen(
                [PYTHON, "-m", "patroni", SETTINGS],
                cwd="/",
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._account.identity(),
            )

    def said(self, path: str = "patroni") -> dict[str, Any] | None:
        """What its Patroni answers; None when it does not."""
        try:
            answer = requests.get(f"http://{HOST}:{self.rest}/{path}", timeout=2)
            return dict(answer.json())
        except (requests.RequestException, ValueError):
            return None

    # --- what is done to it ---------------------------------------------------------------------

    def _postgres(self) -> list[psutil.Process]:
        with suppress(OSError, ValueError, psutil.NoSuchProcess):
            pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
            postmaster = psutil.Process(pid)
            return [postmaster, *postmaster.children(recursive=True)]
        return []

    def _all(self) -> list[psutil.Process]:
        watcher = []
        if self._patroni is not None and self._patroni.poll() is None:
            found = psutil.Process(self._patroni.pid)
            watcher = [found, *found.children(recursive=True)]
        return [*watcher, *self._postgres()]

    def kill_postgres(self) -> None:
        signal_all(self._postgres(), signal.SIGKILL)

    def kill_machine(self) -> None:
        """Patroni and PostgreSQL at once: nobody is left to say that it died."""
        signal_all(self._all(), signal.SIGKILL)
        if self._patroni is not None:
            self._patroni.wait()

    def freeze(self) -> None:
        signal_all(self._all(), signal.SIGSTOP)

    def thaw(self) -> None:
        signal_all(self._all(), signal.SIGCONT)


class Cluster:
    """All of them; `home` is gone at the end."""

    def __init__(self, home: Path) -> None:
        self.home = home
        account = server_account()
        self.etcds = [Etcd(f"etcd{n}", home) for n in (1, 2, 3)]
        asked = ",".join(f"{HOST}:{e.client}" for e in self.etcds)
        self.nodes = [Node(f"pg{n}", home / f"pg{n}", asked, account) for n in (1, 2)]

    def url(
        self, user: str, password: str, database: str = "eqtrade", session: str = "read-write"
    ) -> str:
        """Of whichever is the primary, or the standby."""
        hosts = ",".join(f"{HOST}:{node.port}" for node in self.nodes)
        return f"postgres://{user}:{password}@{hosts}/{database}?target_session_attrs={session}"

    def start(self) -> None:
        self.home.chmod(0o711)
        peers = ",".join(f"{e.name}=http://{HOST}:{e.peer}" for e in self.etcds)
        for etcd in self.etcds:
            etcd.start(peers)
        self.nodes[0].start()
        eventually(self._has_primary, seconds=READY_SECONDS)
        self.nodes[1].start()

    def _has_primary(self) -> None:
        said = self.nodes[0].said() or {}
        assert said.get("role") == "primary", (self.nodes[0].log.read_text())[-2000:]

    def members(self) -> Members:
        """What etcd knows of each server."""
        for node in self.nodes:
            if (told := node.said("cluster")) is not None:
                return {member["name"]: member for member in told["members"]}
        raise AssertionError("no Patroni answers")

    def end(self) -> None:
        for node in self.nodes:
            node.thaw()
            node.kill_machine()
        for etcd in self.etcds:
            etcd.end()
        shutil.rmtree(self.home, ignore_errors=True)
