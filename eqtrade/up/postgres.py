"""An embedded PostgreSQL cluster: the stack's own, and one for each test process.

    with PostgresServer.temporary() as server:
        connect(server.url("runtime"))

The wheel's own helper is not used: it fails for a directory with a space in its path, and it
changes the modes of parent directories.
"""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import psycopg

from eqtrade.database_roles import DATABASE, OWNER, RUNTIME, create_roles
from eqtrade.up.accounts import ServerAccount, server_account
from eqtrade.up.binaries import postgres_bin

Role = Literal["superuser", "owner", "runtime"]

ROLE_NAMES: Mapping[Role, str] = {
    "superuser": "postgres",
    "owner": OWNER,
    "runtime": RUNTIME,
}

SOCKET_PATH_LIMIT = 107
"""Bytes that Linux allows in the path of a unix socket."""

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    # api 2 x pool, ws pool, workers, beat, and room for a developer's shell.
    "max_connections": "120",
    # A prepared transaction would outlive its session and hold the ledger's horizon for ever.
    "max_prepared_transactions": "0",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "logging_collector": "off",
}

NOT_DURABLE: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # Of a password, at each connection and on both sides; tests connect thousands of times.
    "scram_iterations": "1",
}


class PostgresFailed(RuntimeError):
    """The cluster could not be made, started or reached; the message ends with its log's tail."""


@dataclass(frozen=True)
class Passwords:
    """The password of each role."""

    superuser: str
    owner: str
    runtime: str

    def of(self, role: Role) -> str:
        """The password of one role."""
        return {"superuser": self.superuser, "owner": self.owner, "runtime": self.runtime}[role]


class PostgresServer:
    """One cluster with its own data and socket directory.

    `init`, then `start` (or run `command()` under a supervisor), then `create_roles`. As root the
    server runs under a borrowed account, which must be able to enter the parents of both
    directories. With `durable=False` a power cut may destroy the cluster: for tests only.
    """

    def __init__(
        self,
        data_dir: Path,
        socket_dir: Path,
        passwords: Passwords,
        *,
        durable: bool = True,
        log_file: Path | None = None,
        account: ServerAccount | None = None,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.socket_dir = socket_dir.absolute()
        self.passwords = passwords
        self.durable = durable
        self.log_file = log_file or self.data_dir.with_name(f"{self.data_dir.name}.log")
        self.account = account or server_account()
        self.bin = postgres_bin(self.account)
        self._process: subprocess.Popen[bytes] | None = None
        socket = self.socket_dir / ".s.PGSQL.5432"
        if len(bytes(socket)) > SOCKET_PATH_LIMIT:
            raise PostgresFailed(f"The socket path {socket} is longer than unix sockets allow.")

    @classmethod
    @contextmanager
    def temporary(cls) -> Iterator["PostgresServer"]:
        """A running, empty cluster with roles and database, gone at the end. Not durable.

        It lives directly under the system's temporary directory: as root, PostgreSQL's account
        can't enter the private directories that test tools make.
        """
        home = Path(tempfile.mkdtemp(prefix="eqtrade-pg-"))
        home.chmod(0o711)
        server = cls(home / "data", home / "s", Passwords("s", "o", "r"), durable=False)
        try:
            server.init()
            server.start()
            server.create_roles(test_databases=True)
            yield server
        finally:
            server.stop()
            shutil.rmtree(home, ignore_errors=True)

    def url(self, role: Role, database: str | None = None) -> str:
        """The URL of a database for a role; of `eqtrade`, or for the superuser of `postgres`."""
        database = database or ("postgres" if role == "superuser" else DATABASE)
        login = f"{ROLE_NAMES[role]}:{quote(self.passwords.of(role), safe='')}"
        # Not urlencode: PostgreSQL's clients do not read a plus sign as a space.
        return f"postgres://{login}@/{database}?host={quote(str(self.socket_dir), safe='')}"

    def command(self) -> list[str]:
        """The server's command line, in the foreground; its settings are in the data directory."""
        return [str(self.bin / "postgres"), "-D", str(self.data_dir)]

    def init(self) -> bool:
        """Make the cluster when there is none, and write its settings; whether it was made.

        A second call only writes the settings. The cluster appears complete or not at all.
        Raises `PostgresFailed` also when the data is of another major version.
        """
        self.account.own_directory(self.socket_dir)
        made = not (self.data_dir / "PG_VERSION").exists()
        if made:
            self._initdb()
        self._check_version()
        self._write_settings()
        return made

    def start(self, *, seconds: float = 60) -> None:
        """Start the server as our child and wait until it answers."""
        log = self.log_file.open("ab")
        with log:
            self._process = subprocess.Popen(
                self.command(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Not ours to interrupt: Ctrl-C would end it before its clients.
                start_new_session=True,
                **self.account.identity(),
            )
        self.wait_ready(seconds=seconds)

    def stop(self, *, seconds: float = 20) -> None:
        """Stop the server that `start` started, sessions or not; nothing to do on a second call."""
        process, self._process = self._process, None
        if process is None:
            return
        for stop in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, dead
            if process.poll() is None:
                process.send_signal(stop)
            try:
                process.wait(seconds)
                return
            except subprocess.TimeoutExpired:
                continue

    def wait_ready(self, *, seconds: float = 60) -> None:
        """Wait until the superuser can log in; raises `PostgresFailed` with the log's tail."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                psycopg.connect(self.url("superuser"), connect_timeout=5).close()
                return
            except psycopg.OperationalError as error:
                ended = self._process is not None and self._process.poll() is not None
                if ended or time.monotonic() > deadline:
                    raise PostgresFailed(
                        f"PostgreSQL does not answer: {error}{self._tail()}"
                    ) from (error)
            time.sleep(0.05)

    def create_roles(self, *, test_databases: bool = False) -> None:
        """Make the owner and runtime roles and the owner's database; a second call mends them.

        `test_databases` lets the owner create further databases.
        """
        with psycopg.connect(self.url("superuser"), autocommit=True) as connection:
            create_roles(
                connection,
                owner_password=self.passwords.owner,
                runtime_password=self.passwords.runtime,
                may_create_databases=test_databases,
            )

    def _initdb(self) -> None:
        self._parent_must_be_reachable(self.data_dir.parent)
        unfinished = self.data_dir.with_name(f"{self.data_dir.name}.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        self.account.own_directory(unfinished)
        with tempfile.NamedTemporaryFile("w", prefix="eqtrade-", dir="/tmp") as password_file:
            password_file.write(self.passwords.superuser)
            password_file.flush()
            if self.account.borrowed:
                shutil.chown(password_file.name, self.account.uid, self.account.gid)
            done = subprocess.run(
                [
                    *(str(self.bin / "initdb"), "-D", str(unfinished)),
                    *("--username", ROLE_NAMES["superuser"], "--pwfile", password_file.name),
                    *("--auth-local", "scram-sha-256", "--auth-host", "reject"),
                    *("--encoding", "UTF8", "--locale-provider", "builtin"),
                    *("--builtin-locale", "C.UTF-8", "--locale", "C"),
                    *(() if self.durable else ("--no-sync",)),
                ],
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                **self.account.identity(),
            )
        if done.returncode != 0:
            raise PostgresFailed(f"initdb failed:\n{done.stdout}{done.stderr}")
        if self.data_dir.is_dir() and not any(self.data_dir.iterdir()):
            self.data_dir.rmdir()
        unfinished.rename(self.data_dir)

    def _parent_must_be_reachable(self, parent: Path) -> None:
        parent.mkdir(parents=True, exist_ok=True)
        if not self.account.can_enter(parent):
            raise PostgresFailed(
                f"PostgreSQL runs under the account {self.account.name}, "
                f"which may not enter {parent}."
            )

    def _check_version(self) -> None:
        data = (self.data_dir / "PG_VERSION").read_text().strip()
        program = subprocess.run(
            [str(self.bin / "postgres"), "--version"],
            cwd="/",
            capture_output=True,
            text=True,
            check=True,
            **self.account.identity(),
        ).stdout.split()[2]
        if program.split(".")[0] != data:
            raise PostgresFailed(
                f"{self.data_dir} holds data of PostgreSQL {data}, but this is {program}. "
                "Upgrade the data (pg_upgrade, or dump and restore) or use another DATA_DIR."
            )

    def _write_settings(self) -> None:
        """Write postgresql.conf anew, so that the data directory always follows this file."""
        settings = {
            **SETTINGS,
            **({} if self.durable else NOT_DURABLE),
            # The inner quotes are for a comma or a space in the path.
            "unix_socket_directories": f'"{self.socket_dir}"',
            "unix_socket_permissions": "0700",
        }
        lines = [f"{name} = '{_escaped(value)}'\n" for name, value in settings.items()]
        path = self.data_dir / "postgresql.conf"
        path.write_text("# Written by eqtrade.up.postgres at each start.\n" + "".join(lines))

    def _tail(self) -> str:
        if not self.log_file.exists():
            return ""
        lines = self.log_file.read_text(errors="replace").splitlines()[-20:]
        return "\n" + "\n".join(lines)


def _escaped(value: str) -> str:
    """A value for between single quotes in postgresql.conf."""
    return value.replace("\\", "\\\\").replace("'", "''")
