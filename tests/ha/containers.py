"""The system in containers: docker-compose.yml with docker-compose.ha.yml over it."""

import json
import re
import secrets
from functools import partial
from pathlib import Path
from typing import Any

from tests.compose.admin import Admin
from tests.compose.project import BASE_BUILDS, Failed, Project
from tests.ha.system import Members, Part, primary, wait_two
from tests.stack.client import Client
from tests.stack.eventually import eventually
from tests.stack.running import free_port

FILES = ("docker-compose.yml", "docker-compose.ha.yml")
LOG_KEPT = "deploy/compose.ha.pitr.yml"
BUILDS = {
    **BASE_BUILDS,
    "eqtrade-patroni": ("-f", "deploy/ha/Dockerfile", "--target", "patroni"),
    "eqtrade-etcd": ("-f", "deploy/ha/Dockerfile", "--target", "etcd"),
    "eqtrade-balancer": ("-f", "deploy/ha/Dockerfile", "--target", "balancer"),
}
TWICE = ("api", "ws", "worker_positions", "worker_pnl", "beat")
# The balancer stands for the cloud's, which is not one machine.
PARTS = (
    *("etcd1", "etcd2", "etcd3", "api", "ws", "worker-positions", "worker-pnl", "worker-prices"),
    *("worker-imports", "worker-default", "beat", "flower", "redis"),
)
DOORS = ("nginx", "nginx2")
PATIENCE = 240.0
KILL_POSTGRES = """
for each in /proc/[0-9]*; do
    if [ "$(cat "$each/comm" 2>/dev/null)" = postgres ]; then kill -9 "${each#/proc/}"; fi
done
"""
ASK = (
    "import urllib.request as u;"
    " print(u.urlopen('http://127.0.0.1:8008/cluster', timeout=3).read().decode())"
)


class Machine:
    """One of pg1 and pg2."""

    def __init__(self, name: str, project: Project) -> None:
        self.name = name
        self._project = project

    @property
    def _id(self) -> str:
        return self._project.containers(self.name)[0].id

    def start(self) -> None:
        self._project.docker("start", self._id)

    def kill_postgres(self) -> None:
        self._project.docker("exec", self._id, "sh", "-c", KILL_POSTGRES)

    def kill_machine(self) -> None:
        self._project.docker("kill", self._id)

    def freeze(self) -> None:
        self._project.docker("pause", self._id)

    def thaw(self) -> None:
        self._project.docker("unpause", self._id)


class Containers:
    """With `log_kept`, backups to the second are made of them; `digests` as in `Project`."""

    account = "DESK"

    def __init__(self, *, log_kept: bool = False, digests: bool = False) -> None:
        ways = {name: f"127.0.0.1:{free_port()}" for name in ("PUBLISH_NGINX", "PUBLISH_NGINX2")}
        files = (*FILES, LOG_KEPT) if log_kept else FILES
        self.project = Project(files, BUILDS, ways, digests=digests)
        self._build = digests
        self.servers = [Machine(name, self.project) for name in ("pg1", "pg2")]
        self.parts = [self._part(name) for name in (*PARTS, *DOORS)]
        self._client: Client | None = None

    def _part(self, name: str) -> Part:
        """By kill -9, the first of those that there are."""
        kill, start = partial(self._kill, name), partial(self._start, name)
        return Part(name, kill, start, partial(self._passed_by, name) if name in DOORS else None)

    def _kill(self, service: str) -> None:
        self.project.docker("kill", self.project.containers(service)[0].id)

    def _start(self, service: str) -> None:
        self.project.docker("start", self.project.containers(service)[0].id)
        self.project.wait_well()

    def _passed_by(self, door: str) -> None:
        """By the balancer's own word: on a busy machine its checks take longer."""
        said = self.project.compose("logs", "--no-log-prefix", "balancer")
        states = re.findall(rf"Server nginx/{door} is (?:going )?(UP|DOWN)", said)
        assert states[-1:] == ["DOWN"], f"{door}: {states}"

    def start(self) -> None:
        if self._build or not self.project.images_are_of_these_sources():
            self.project.build()
        self.up()
        password = secrets.token_urlsafe(12)
        self.project.compose(
            *("exec", "-T", "-e", f"DJANGO_SUPERUSER_PASSWORD={password}", "api"),
            *("python", "manage.py", "createsuperuser", "--noinput"),
            *("--username", "admin", "--email", "admin@example.com"),
        )
        self.project.manage("sync_instruments")
        Admin(self.project.url, "admin", password).make_account(self.account)
        self._client = Client.logged_in(self.project.url, "admin", password)

    def up(self) -> None:
        self.project.compose("up", "-d", "--no-build", seconds=600)
        self.project.wait_well(**dict.fromkeys(TWICE, 2))
        wait_two(self)

    def end(self) -> None:
        self.project.end()

    def keep_logs(self) -> str:
        kept = Path(f"/tmp/{self.project.name}.log")
        kept.write_text(self.project.compose("logs", "--no-color", "--timestamps"))
        return str(kept)

    def client(self) -> Client:
        assert self._client is not None
        return self._client

    def members(self) -> Members:
        for server in self.servers:
            try:
                said = self.project.compose(
                    *("exec", "-T", server.name, "/opt/patroni/venv/bin/python", "-c", ASK)
                )
                told: dict[str, Any] = json.loads(said)
            except (Failed, ValueError):
                continue
            return {member["name"]: member for member in told["members"]}
        raise AssertionError("no Patroni answers")

    def sql(self, statement: str) -> list[tuple[str, ...]]:
        at = eventually(lambda: primary(self), seconds=PATIENCE).name
        script = 'PGPASSWORD=$(cat /run/secrets/superuser_password) exec psql "$@"'
        said = self.project.compose(
            *("exec", "-T", at, "sh", "-c", script, "psql"),
            *("-h", "127.0.0.1", "-U", "postgres", "-d", "eqtrade", "-tA", "-c", statement),
        )
        return [tuple(line.split("|")) for line in said.splitlines()]

    def manage(self, command: str) -> str:
        return self.project.manage(command)
