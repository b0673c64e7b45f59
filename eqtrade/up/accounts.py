"""The operating-system account that PostgreSQL runs under.

PostgreSQL refuses to run as root. Then an account that already exists is borrowed; no account
is created and no directory of somebody else changes its mode.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict


class NoUnprivilegedAccount(RuntimeError):
    """Root runs the stack, and no account exists that PostgreSQL could use instead."""


class Identity(TypedDict, total=False):
    """The keyword arguments of `subprocess` that change a child's user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class ServerAccount:
    """The account of a server's process. `borrowed` when it is not our own."""

    name: str
    uid: int
    gid: int
    borrowed: bool

    def identity(self) -> Identity:
        """What to give `subprocess` so that the child runs under this account."""
        if not self.borrowed:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, directory: Path) -> bool:
        """Whether this account may enter the directory.

        Tried, not computed: modes of parents, access lists and mount options all count.
        """
        return self._shell('cd "$1"', directory)

    def can_read(self, file: Path) -> bool:
        """Whether this account may read the file."""
        return self._shell('test -r "$1"', file)

    def own_directory(self, directory: Path) -> None:
        """Create the directory (mode 0700) and give it to this account. Parents are untouched."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.borrowed:
            os.chown(directory, self.uid, self.gid)

    def _shell(self, script: str, argument: Path) -> bool:
        done = subprocess.run(
            ["/bin/sh", "-c", script, "sh", str(argument)],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            **self.identity(),
        )
        return done.returncode == 0


def server_account() -> ServerAccount:
    """Our own account, or for root the first of `postgres` and `nobody` that exists.

    Raises `NoUnprivilegedAccount` when root finds neither.
    """
    if os.geteuid() != 0:
        return ServerAccount(_own_name(), os.geteuid(), os.getegid(), borrowed=False)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return ServerAccount(entry.pw_name, entry.pw_uid, entry.pw_gid, borrowed=True)
    raise NoUnprivilegedAccount(
        "PostgreSQL does not run as root, and this machine has neither a `postgres` nor a "
        "`nobody` account. Run as an ordinary user."
    )


def _own_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # containers run under uids without an entry
        return str(os.geteuid())
