"""The browser that the pages' tests drive: found, installed or named, and started once.

Without this, a library that Playwright's driver or the browser lacks would fail each of those
tests with "Connection closed" and say nothing of itself.
"""

# ruff: noqa: S603
# It runs a developer's own commands.

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from deploy.installing import PYTHON
from deploy.steps import PROJECT, Failed, call, step

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PACKAGES = {"libatomic.so.1": "libatomic1"}
"""Debian's packages of the libraries that Playwright's driver needs beyond a bare system's."""
DRIVER = (PYTHON, "-m", "playwright", "--version")
BROWSER = (PYTHON, "-m", "tests.browser.chromium")
START_SECONDS = 120.0


def system_browser() -> str | None:
    """The program of the system's own Chromium or Chrome; None where there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def ready_browser() -> None:
    """Have a browser that starts: install what is missing, or raise `Failed` that names it."""
    missing = missing_packages()
    if missing:
        provide(missing)
    browser = system_browser() or "Playwright's own"
    with step(f"browser: {browser}"):
        complaint = complaint_of(BROWSER)
    if complaint:
        # When the driver is what does not start, Playwright has no word for it.
        if why := complaint_of(DRIVER):
            raise Failed(f"Playwright's driver does not start: {why}")
        library = missing_library(complaint)
        why = f"it lacks {library}, which its package should have brought" if library else complaint
        raise Failed(f"the browser ({browser}) does not start: {why}")


def missing_packages() -> list[str]:
    """Debian's names of what the driver and the browser need and the system has not."""
    missing = []
    library = missing_library(complaint_of(DRIVER))
    if library:
        missing.append(PACKAGES.get(library, library))
    if system_browser() is None and (can_install() or library or not playwrights_own()):
        missing.append("chromium")
    return missing


def missing_library(complaint: str) -> str | None:
    """The shared library that a program's complaint says it did not find."""
    found = re.search(r"error while loading shared libraries: ([^:\s]+):", complaint)
    return found[1] if found else None


def playwrights_own() -> bool:
    """Fetch the browser that Playwright brings, where the network lets it."""
    try:
        with step("browser: Playwright's own"):
            call([PYTHON, "-m", "playwright", "install", "chromium"])
    except Failed:
        return False
    return True


def provide(packages: Sequence[str]) -> None:
    """Install Debian's packages as root; for anybody else raise `Failed` with the command."""
    update = ("apt-get", "-q", "update")
    install = ("apt-get", "-q", "install", "--yes", "--no-install-recommends", *packages)
    if not can_install():
        raise Failed(
            f"the pages' tests need {' and '.join(packages)}; on Debian, as root: "
            f"{' '.join(update)} && {' '.join(install)}"
        )
    with step(f"{', '.join(packages)}, by apt-get"):
        call(update)
        call(install, os.environ | {"DEBIAN_FRONTEND": "noninteractive"})


def can_install() -> bool:
    """Whether this is root on Debian or one of its kin."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def complaint_of(command: Sequence[str | Path]) -> str:
    """What a command said that failed; nothing when it succeeded."""
    try:
        done = subprocess.run(
            command,
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it took over {START_SECONDS:.0f} s"
    if done.returncode == 0:
        return ""
    return done.stdout.strip() or f"it exited with {done.returncode}, without a word"
