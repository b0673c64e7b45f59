"""Redis as its container starts it: one user, who uses the data and administers nothing."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis

from eqtrade.up.binaries import valkey_server
from eqtrade.up.options import PROJECT
from tests.stack.eventually import eventually

PASSWORD = "a:b@c/d?e#f%g+ and a blank"
SECRETS = "/run/secrets/"


class Server:
    def __init__(self, home: Path) -> None:
        self.socket = home / "redis.sock"
        (home / "data").mkdir()
        (home / "redis_password").write_text(f"{PASSWORD}\n")
        (home / "redis-server").symlink_to(valkey_server())
        # The same script, with its container's paths in one directory of this test's own.
        text = (PROJECT / "deploy" / "redis.sh").read_text()
        assert SECRETS in text
        text = text.replace(SECRETS, f"{home}/").replace("/tmp/users.acl", f"{home}/users.acl")
        (home / "redis.sh").write_text(text.replace("--dir /data", f"--dir {home}/data"))
        self.process = subprocess.Popen(
            ["/bin/sh", home / "redis.sh", "--port", "0", "--unixsocket", str(self.socket)],
            env={**os.environ, "PATH": f"{home}:{os.environ['PATH']}"},
            stdout=subprocess.DEVNULL,
        )

    def client(self, username: str | None, password: str | None) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.socket), username=username, password=password)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="eqtrade-redis-", dir="/tmp") as home:
        server = Server(Path(home))
        try:
            eventually(lambda: server.client("eqtrade", PASSWORD).ping())
            yield server
        finally:
            server.process.terminate()
            server.process.wait(20)


def test_it_uses_the_data(server: Server) -> None:
    with server.client("eqtrade", PASSWORD) as client:
        assert client.set("key", "1", ex=60)
        client.lpush("positions", "a task")
        assert client.llen("positions") == 1
        assert client.eval("return redis.call('get', KEYS[1])", 1, "key") == b"1"
        client.publish("eqtrade", "said")
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.info("server")["tcp_port"] == 0


@pytest.mark.parametrize(
    "command",
    ["CONFIG SET maxmemory 1", "FLUSHALL", "KEYS *", "SHUTDOWN NOSAVE", "ACL LIST",
     "REPLICAOF 127.0.0.1 1", "MONITOR", "SAVE"],
)  # fmt: skip
def test_it_does_not_administer(server: Server, command: str) -> None:
    with (
        server.client("eqtrade", PASSWORD) as client,
        pytest.raises(redis.exceptions.NoPermissionError),
    ):
        client.execute_command(*command.split())


@pytest.mark.parametrize(
    ("username", "password"),
    [(None, None), ("default", ""), ("default", PASSWORD), ("eqtrade", PASSWORD.strip("a"))],
)
def test_nobody_else_gets_in(server: Server, username: str | None, password: str | None) -> None:
    with server.client(username, password) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_the_password_stands_on_no_command_line(server: Server) -> None:
    process = psutil.Process(server.process.pid)
    assert process.name() in ("valkey-server", "redis-server")
    assert PASSWORD not in " ".join(process.cmdline())
    assert PASSWORD not in " ".join(process.environ().values())
