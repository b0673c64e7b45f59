"""A bare Debian: made, used by root or by an ordinary user, and gone without a trace.

Bare means its own Python with the venv module, and make, nothing else. Two things can be one: a
container, and a root directory of debootstrap's that processes enter in namespaces of their own.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deploy.steps import PROJECT, Failed, works
from tests.fresh.settings import Settings

ORDINARY = "dev"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CAPABILITIES = (
    *("chown", "dac_override", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap"),
    *("net_bind_service", "net_raw", "sys_chroot", "mknod", "audit_write", "setfcap"),
)
"""What root may do in a container unless told otherwise. It may not look into others' processes."""


@dataclass(frozen=True)
class Debian:
    """A release, and the Python that comes with it."""

    suite: str
    python: str

    @property
    def image(self) -> str:
        return f"debian:{self.suite}-slim"

    @property
    def packages(self) -> tuple[str, ...]:
        return self.python, f"{self.python}-venv", "make"


DEBIANS = {12: Debian("bookworm", "python3.11"), 13: Debian("trixie", "python3.13")}


@dataclass(frozen=True)
class Account:
    """A user of the machine. The checkout lies in the home, which is closed to others."""

    name: str
    home: str

    @property
    def checkout(self) -> str:
        return f"{self.home}/a path with spaces/eqtrade"


ROOT = Account("root", "/root")
USER = Account(ORDINARY, f"/home/{ORDINARY}")


class Machine(ABC):
    """One bare machine; a context manager."""

    def __init__(self, settings: Settings, debian: Debian) -> None:
        self.settings = settings
        self.debian = debian

    def __enter__(self) -> "Machine":
        try:
            self.make()
            self._furnish()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @abstractmethod
    def make(self) -> None:
        """Make the system, without anything that Debian does not bring by itself."""

    @abstractmethod
    def end(self) -> None:
        """End every process in it and remove it; also when `make` failed half way."""

    @abstractmethod
    def enter(self, account: Account, command: Sequence[str], directory: str) -> list[str]:
        """The command, run here, that runs this one there."""

    @abstractmethod
    def outside(self, account: Account) -> Mapping[str, str]:
        """The environment that `enter`'s command needs here. Values that may be secret go this
        way: anybody can read a command."""

    def start(
        self,
        account: Account,
        command: Sequence[str],
        *,
        directory: str = "/",
        source: IO[bytes] | int = subprocess.DEVNULL,
    ) -> subprocess.Popen[bytes]:
        """Start a command there; what it says and complains comes from `stdout`."""
        return subprocess.Popen(
            self.enter(account, command, directory),
            env=self.outside(account),
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def _furnish(self) -> None:
        """Give it this machine's package indexes, Python and make, and an ordinary user."""
        for path, content in self.settings.files.items():
            self.write(path, content)
        self.sh(
            "export DEBIAN_FRONTEND=noninteractive; apt-get -q update && "
            f"apt-get -q install --yes --no-install-recommends {' '.join(self.debian.packages)} && "
            f"useradd --create-home --shell /bin/bash {ORDINARY} && chmod 700 {USER.home}"
        )
        for account in (ROOT, USER):
            self.write(f"{account.home}/.npmrc", self.settings.npmrc, account)

    def check_out(self, account: Account) -> None:
        """Put a copy of this checkout there: what is tracked, as it is now."""
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, check=True
        ).stdout
        names = [name for name in listed.split(b"\0") if (PROJECT / os.fsdecode(name)).is_file()]
        with tempfile.TemporaryFile() as archive:
            subprocess.run(
                ["tar", "--create", "--null", "--files-from=-"],
                cwd=PROJECT, input=b"\0".join(names), stdout=archive, check=True,
            )  # fmt: skip
            archive.seek(0)
            place = shlex.quote(account.checkout)
            self.sh(f"mkdir -p {place} && tar -x --no-same-owner -C {place}", account, archive)

    def write(self, path: str, content: bytes, account: Account = ROOT) -> None:
        """Write a file there."""
        with tempfile.TemporaryFile() as source:
            source.write(content)
            source.seek(0)
            quoted = shlex.quote(path)
            self.sh(f'mkdir -p "$(dirname {quoted})" && cat >{quoted}', account, source)

    def sh(
        self, script: str, account: Account = ROOT, source: IO[bytes] | int = subprocess.DEVNULL
    ) -> None:
        """Run a shell script there; raises `Failed` with what it said when it failed."""
        with self.start(account, ["/bin/sh", "-c", script], source=source) as process:
            said = process.communicate()[0].decode(errors="replace").strip().splitlines()
        if process.returncode != 0:
            raise Failed("\n".join([f"in the bare machine, this failed: {script}", *said[-20:]]))


def plain_environment(account: Account) -> dict[str, str]:
    """What every command there has, whatever this machine's settings are."""
    return {"HOME": account.home, "USER": account.name, "PATH": PATH, "LANG": "C.UTF-8"}


class Container(Machine):
    """A container of Debian's image."""

    def __init__(self, settings: Settings, debian: Debian) -> None:
        super().__init__(settings, debian)
        self.name = f"eqtrade-fresh-{os.getpid()}-{id(self):x}"

    def make(self) -> None:
        mounts = [part for d in self.settings.directories for part in ("--volume", f"{d}:{d}:ro")]
        # A machine's /dev/shm, not the 64 MB of a container's.
        options = ("--detach", "--init", "--rm", "--shm-size", "1g", "--name", self.name)
        run = ["docker", "run", *options, *mounts, self.debian.image, "sleep", "infinity"]
        done = subprocess.run(run, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failed(f"docker can't run {self.debian.image}: {done.stderr.strip()}")

    def end(self) -> None:
        subprocess.run(["docker", "rm", "--force", self.name], capture_output=True, check=False)

    def enter(self, account: Account, command: Sequence[str], directory: str) -> list[str]:
        plain = [f"{name}={value}" for name, value in plain_environment(account).items()]
        # A name alone takes its value from docker's own environment.
        variables = [part for v in (*plain, *self.settings.environment) for part in ("--env", v)]
        where = ("--user", account.name, "--workdir", directory)
        return ["docker", "exec", "--interactive", *where, *variables, self.name, *command]

    def outside(self, account: Account) -> Mapping[str, str]:
        return os.environ


class Chroot(Machine):
    """A root directory of debootstrap's. Each command runs in namespaces of its own, which take
    their mounts and processes with them."""

    def __init__(self, settings: Settings, debian: Debian) -> None:
        super().__init__(settings, debian)
        self.place = Path(tempfile.mkdtemp(prefix="eqtrade-fresh-", dir="/var/tmp"))
        self.root = self.place / "root"

    def make(self) -> None:
        self.place.chmod(0o711)
        command = ["debootstrap", "--variant=minbase", self.debian.suite, str(self.root)]
        if self.settings.debian_mirror:
            command.append(self.settings.debian_mirror)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = "\n".join(done.stdout.strip().splitlines()[-10:])
            raise Failed(f"debootstrap failed: {done.stderr.strip()}\n{said}")

    def end(self) -> None:
        shutil.rmtree(self.place, ignore_errors=True)

    def enter(self, account: Account, command: Sequence[str], directory: str) -> list[str]:
        root = shlex.quote(str(self.root))
        capabilities = ",".join(("-all", *(f"+{name}" for name in CAPABILITIES)))
        mounts = [
            f"mount -t proc proc {root}/proc",
            f"mount -t sysfs -o ro sysfs {root}/sys",
            f"mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts {root}/dev/pts",
            f"mount -t tmpfs -o mode=1777 tmpfs {root}/dev/shm",
            f"mount -t tmpfs -o mode=755 tmpfs {root}/run",
            f"cp -L /etc/resolv.conf {root}/etc/resolv.conf",
        ]
        for name in self.settings.directories:
            inside = shlex.quote(f"{self.root}{name}")
            outside = shlex.quote(name)
            mounts.append(f"mkdir -p {inside} && mount --bind -o ro {outside} {inside}")
        inner = 'cd "$1" && shift && "$@"; exit $?'
        # The shell stays: as process 1 it also buries what its children leave behind.
        there = [
            *("setpriv", f"--reuid={account.name}", f"--regid={account.name}", "--init-groups"),
            *(f"--bounding-set={capabilities}", "--inh-caps=-all"),
            *("/bin/sh", "-c", inner, "sh", directory, *command),
        ]
        outer = f'{" && ".join(mounts)} && exec chroot {root} "$@"'
        return [
            *("unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child"),
            *("/bin/sh", "-c", outer, "sh", *there),
        ]

    def outside(self, account: Account) -> Mapping[str, str]:
        return plain_environment(account) | dict(self.settings.environment)


def choose(settings: Settings) -> type[Machine]:
    """What there is to make a bare machine with; raises `Failed` with what it takes."""
    if shutil.which("docker") and works(["docker", "info"]):
        return Container
    needed = ("debootstrap", "unshare", "chroot", "setpriv")
    if os.geteuid() == 0 and sys.platform == "linux" and all(map(shutil.which, needed)):
        return Chroot
    raise Failed(
        "a bare Debian needs a docker whose daemon answers, or Linux, root and debootstrap "
        "(on Debian: apt-get install debootstrap)."
    )
