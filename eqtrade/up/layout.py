"""The files and sockets of one stack.

Everything lies in DATA_DIR, but for two things: unix sockets, whose paths may have 107 bytes
only, and PostgreSQL's data when root runs the stack and PostgreSQL's account can't enter DATA_DIR.
"""

import hashlib
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from eqtrade.up.accounts import ServerAccount
from eqtrade.up.binaries import SHARED_HOME

# Whoever put a directory of ours there first is found out: `own_directory`.
TMP = Path("/tmp")  # noqa: S108


class UnsafePlace(RuntimeError):
    """A directory that must be ours belongs to somebody else or is not a directory."""


@dataclass(frozen=True)
class Layout:
    """The paths of the stack with this DATA_DIR. `create` makes the directories."""

    data_dir: Path

    @property
    def key(self) -> str:
        """A short name for this DATA_DIR, the same at every start."""
        return hashlib.sha256(bytes(self.data_dir)).hexdigest()[:10]

    @property
    def logs(self) -> Path:
        """One log for each program, rotated."""
        return self.data_dir / "logs"

    @property
    def run(self) -> Path:
        """What describes the running stack: gone or stale when none runs."""
        return self.data_dir / "run"

    @property
    def lock(self) -> Path:
        """Held, not merely present, while a stack runs."""
        return self.run / "lock"

    @property
    def processes(self) -> Path:
        """The pids and start times of this run's processes."""
        return self.run / "processes.json"

    @property
    def environment(self) -> Path:
        """The environment of the running stack, for manage.py."""
        return self.run / "environment.json"

    @property
    def secrets(self) -> Path:
        """Passwords and Django's key, made at the first start."""
        return self.data_dir / "secrets.json"

    @property
    def static(self) -> Path:
        """Collected static files."""
        return self.data_dir / "static"

    @property
    def valkey(self) -> Path:
        """Valkey's data."""
        return self.data_dir / "valkey"

    @property
    def nginx(self) -> Path:
        """nginx's prefix: its settings and temporary files."""
        return self.data_dir / "nginx"

    @property
    def sockets(self) -> Path:
        """The short directory of this stack's sockets."""
        return socket_home() / f"eqtrade-{os.geteuid()}-{self.key}"

    @property
    def postgres_sockets(self) -> Path:
        """A directory of its own, since PostgreSQL's account must write to it."""
        return self.sockets / "pg"

    def socket(self, name: str) -> Path:
        """The socket of one program; in a private directory, as some make theirs for everybody."""
        return self.sockets / "s" / f"{name}.sock"

    def postgres(self, account: ServerAccount, shared_home: Path = SHARED_HOME) -> Path:
        """PostgreSQL's data: in DATA_DIR where its account can enter it, else in `shared_home`.

        Data that exists stays where it is. DATA_DIR must exist.
        """
        inside = self.data_dir / "postgres"
        outside = shared_home / self.key / "postgres"
        if not account.borrowed:
            return inside
        if not account.can_enter(self.data_dir) or (outside / "PG_VERSION").exists():
            return outside
        return inside

    def create(self) -> None:
        """Make the directories; raises `UnsafePlace` when one of them is somebody else's."""
        # As root, PostgreSQL's account passes through these two, but can't list them.
        mode = 0o711 if os.geteuid() == 0 else 0o700
        own_directory(self.data_dir, mode)
        own_directory(self.sockets, mode)
        for private in (self.sockets / "s", self.logs, self.run, self.nginx, self.valkey):
            own_directory(private, 0o700)


def socket_home() -> Path:
    """A directory with a short path for the sockets: the user's runtime directory, else /tmp.

    Root uses /run, where nobody else can put a directory of the same name first.
    """
    if os.geteuid() == 0:
        run = Path("/run")
        return run if os.access(run, os.W_OK) and run.stat().st_uid == 0 else TMP
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if 0 < len(runtime) < 40 and runtime.startswith("/") and " " not in runtime:
        path = Path(runtime)
        if path.is_dir() and path.stat().st_uid == os.geteuid() and os.access(path, os.W_OK):
            return path
    return TMP


def own_directory(path: Path, mode: int) -> None:
    """Make the directory with this mode, or check that the one that is there is ours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise UnsafePlace(f"{path} is not a directory.")
    if found.st_uid != os.geteuid():
        raise UnsafePlace(
            f"{path} belongs to user id {found.st_uid}, not to {os.geteuid()} who runs this. "
            "Run as that user, or use another DATA_DIR."
        )
    if stat.S_IMODE(found.st_mode) != mode:
        path.chmod(mode)
