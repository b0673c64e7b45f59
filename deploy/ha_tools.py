"""What `make ha-test` needs beside the project: Patroni in .venv-ha, and etcd of Debian, unpacked
there and not installed.

    .venv/bin/python -m deploy.ha_tools
"""

# ruff: noqa: S607
# A developer's own Debian.

import shutil
import subprocess
import sys
from pathlib import Path

from deploy.own_venv import ready
from deploy.steps import PROJECT, Failed, call, step

VENV = PROJECT / ".venv-ha"
PYTHON = VENV / "bin" / "python"
LOCK = PROJECT / "deploy" / "ha" / "requirements.txt"
UNPACKED = VENV / "etcd"


def find_etcd() -> Path:
    found = shutil.which("etcd")
    return Path(found) if found else UNPACKED / "usr" / "bin" / "etcd"


ETCD = find_etcd()


def reachable_python() -> Path:
    """A Python that PostgreSQL's account can start: as root, ours may lie where it can't enter."""
    # Of the project's own environment, which `make` begins without.
    from eqtrade.up.accounts import server_account

    account = server_account()
    for found in (Path(sys.executable).resolve(), Path("/usr/bin/python3")):
        if found.exists() and account.can_read(found):
            return found
    raise Failed(f"{account.name}, PostgreSQL's account, can start no Python here")


def ready_ha() -> None:
    ready(VENV, LOCK, [reachable_python()])
    if ETCD.exists():
        return
    with step("etcd"):
        UNPACKED.mkdir(exist_ok=True)
        try:
            subprocess.run(
                ["apt-get", "--quiet", "download", "etcd-server"], cwd=UNPACKED, check=True
            )
        except (OSError, subprocess.CalledProcessError) as error:
            raise Failed("there is no etcd here, and no Debian to get one from") from error
        (package,) = UNPACKED.glob("etcd-server*.deb")
        call(["dpkg-deb", "-x", package, UNPACKED])


if __name__ == "__main__":
    try:
        ready_ha()
    except Failed as failure:
        sys.exit(str(failure))
