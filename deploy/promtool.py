"""promtool, which tries the alerts: the system's own, or Debian's, unpacked in .promtool and not
installed.

    .venv/bin/python -m deploy.promtool
"""

# ruff: noqa: S607
# A developer's own Debian.

import shutil
import subprocess
import sys
from pathlib import Path

from deploy.steps import PROJECT, Failed, call, step

UNPACKED = PROJECT / ".promtool"


def find_promtool() -> Path:
    found = shutil.which("promtool")
    return Path(found) if found else UNPACKED / "usr" / "bin" / "promtool"


PROMTOOL = find_promtool()


def ready_promtool() -> None:
    """Where there is no Debian to get it from, its tests say that they were left out."""
    if PROMTOOL.exists():
        return
    with step("promtool"):
        UNPACKED.mkdir(exist_ok=True)
        try:
            subprocess.run(
                ["apt-get", "--quiet", "--quiet", "download", "prometheus"],
                cwd=UNPACKED, check=True, capture_output=True,
            )  # fmt: skip
            (package,) = UNPACKED.glob("prometheus_*.deb")
            call(["dpkg-deb", "-x", package, UNPACKED])
            package.unlink()
        except (OSError, subprocess.CalledProcessError, ValueError, Failed) as error:
            print(f"  without it: {error}")  # noqa: T201


if __name__ == "__main__":
    ready_promtool()
    sys.exit(not PROMTOOL.exists())
