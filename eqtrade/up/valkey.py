"""An embedded Valkey server (Redis protocol): the stack's own, and one for each test process.

with ValkeyServer.temporary() as server:
    redis.Redis.from_url(server.url())
"""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import redis

from eqtrade.up.binaries import valkey_server

SOCKET_PATH_LIMIT = 107
"""Bytes that Linux allows in the path of a unix socket."""


class ValkeyFailed(RuntimeError):
    """The server could not be started or reached; the message ends with its log's tail."""


class ValkeyServer:
    """One server that speaks on a unix socket only.

    `init`, then `start` (or run `command()` under a supervisor). With `durable=False` nothing is
    written to disk: for tests only.
    """

    def __init__(
        self,
        data_dir: Path,
        socket: Path,
        *,
        durable: bool = True,
        log_file: Path | None = None,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.socket = socket.absolute()
        self.durable = durable
        self.log_file = log_file or self.data_dir.with_name(f"{self.data_dir.name}.log")
        self.process: subprocess.Popen[bytes] | None = None
        if len(bytes(self.socket)) > SOCKET_PATH_LIMIT:
            raise ValkeyFailed(f"The socket path {self.socket} is longer than unix sockets allow.")

    @classmethod
    @contextmanager
    def temporary(cls) -> Iterator["ValkeyServer"]:
        """A running, empty server in a directory of its own, gone at the end. Not durable."""
        home = Path(tempfile.mkdtemp(prefix="eqtrade-vk-", dir="/tmp"))
        server = cls(home / "data", home / "valkey.sock", durable=False)
        try:
            server.init()
            server.start()
            yield server
        finally:
            server.stop()
            shutil.rmtree(home, ignore_errors=True)

    def url(self, database: int = 0) -> str:
        """The server's URL for redis-py; Celery wants `redis+socket://` instead of `unix://`."""
        return f"unix://{quote(str(self.socket))}?db={database}"

    def command(self) -> list[str]:
        """The server's command line, in the foreground."""
        return [str(valkey_server()), str(self._settings_file)]

    def init(self) -> None:
        """Write the settings. A second call changes nothing; data of an earlier run is kept."""
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings = {
            "port": "0",
            "unixsocket": _quoted(self.socket),
            "unixsocketperm": "700",
            "dir": _quoted(self.data_dir),
            "daemonize": "no",
            "databases": "4",
            "save": '""',
            # Queued tasks survive a restart; a lost second only delays, as the sweep looks again.
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "everysec",
            # A broker that throws keys away would lose tasks in silence; a refused write is seen.
            "maxmemory-policy": "noeviction",
        }
        text = "".join(f"{name} {value}\n" for name, value in settings.items())
        self._settings_file.write_text("# Written by eqtrade.up.valkey at each start.\n" + text)

    def start(self, *, seconds: float = 30) -> None:
        """Start the server as our child (`process`) and wait until it answers."""
        log = self.log_file.open("ab")
        with log:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_ready(seconds=seconds)

    def stop(self, *, seconds: float = 10) -> None:
        """Stop the server that `start` started, even a paused one; no harm on a second call."""
        process, self.process = self.process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def wait_ready(self, *, seconds: float = 30) -> None:
        """Wait until the server answers PING; raises `ValkeyFailed` with the log's tail."""
        deadline = time.monotonic() + seconds
        client = redis.Redis.from_url(self.url(), socket_timeout=5)
        with client:
            while True:
                try:
                    client.ping()
                    return
                # BusyLoading is a ConnectionError too: the append-only file is being read.
                except (redis.ConnectionError, redis.TimeoutError) as error:
                    ended = self.process is not None and self.process.poll() is not None
                    if ended or time.monotonic() > deadline:
                        raise ValkeyFailed(f"Valkey does not answer: {error}{self._tail()}") from (
                            error
                        )
                time.sleep(0.02)

    @property
    def _settings_file(self) -> Path:
        return self.data_dir / "valkey.conf"

    def _tail(self) -> str:
        if not self.log_file.exists():
            return ""
        lines = self.log_file.read_text(errors="replace").splitlines()[-20:]
        return "\n" + "\n".join(lines)


def _quoted(path: Path) -> str:
    """A path for Valkey's settings file, which splits at spaces."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
