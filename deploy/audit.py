"""`make audit`: what is known against what we use, and what looks dangerous in what we wrote.

Its tools live in a virtual environment of their own, .venv-audit. Two of them ask a database on the
network: where that is not reached they say so, and nothing is known then; what the others find
fails the target. `make sbom` writes what an installation is made of, as the image's build does.
"""

# ruff: noqa: S603, T201
# It runs a developer's own commands, and talks to a terminal.

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

from deploy.images import main as images
from deploy.installing import (
    ALL_GROUPS,
    FRONTEND,
    LOCK,
    find_npm,
    install_into,
    locked_for,
)
from deploy.steps import PROJECT, Failed, call, fingerprint, read_json, step, works

VENV = PROJECT / ".venv-audit"
PYTHON = VENV / "bin" / "python"
INSTALLED = VENV / "installed.json"
SBOM = PROJECT / "sbom"
OURS = (
    *("accounts", "audit", "blotter", "deploy", "eqtrade", "kernel", "pnl", "positions"),
    *("prices", "trades"),
)
SECONDS = 300.0


class NotRun(Exception):
    """The network does not let it; the message says what it said."""


def audit() -> None:
    """Every tool, also after one found something. Raises `Failed` when any did."""
    install_tools()
    tools: dict[str, Callable[[], str]] = {
        "pip-audit": pip_audit,
        "npm audit": npm_audit,
        "bandit": bandit,
        "images by digest": images_pinned,
    }
    found, not_run = {}, {}
    for name, tool in tools.items():
        try:
            with step(name):
                said = tool()
        except NotRun as refusal:
            not_run[name] = str(refusal)
            continue
        if said:
            found[name] = said
            print(said)
    for name, why in not_run.items():
        print(f"  {name} was NOT run, and nothing is known of it: {why}")
    if found:
        raise Failed(f"these found something: {', '.join(found)}")


def install_tools() -> None:
    """Make .venv-audit, of files whose hashes are locked, unless it is of this lock."""
    locked = fingerprint([LOCK])
    if read_json(INSTALLED).get("lock") == locked and works([PYTHON, "--version"]):
        return
    with step("tools of the audit"):
        call([sys.executable, "-m", "venv", "--clear", VENV])
        install_into(VENV, ["audit"], whole=False)
    INSTALLED.write_text(json.dumps({"lock": locked}))


def run(command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, cwd=PROJECT, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NotRun(f"no answer within {SECONDS:.0f} s") from error


def pip_audit() -> str:
    """Known vulnerabilities of the locked versions, whoever needs them."""
    quiet = ("--disable-pip", "--require-hashes", "--progress-spinner", "off")
    with NamedTemporaryFile("w", suffix=".txt") as locked:
        locked.write(locked_for(PYTHON, ALL_GROUPS, whole=True))
        locked.flush()
        done = run([PYTHON, "-m", "pip_audit", *quiet, "--format", "json", "-r", locked.name])
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        raise NotRun(last_line(done)) from None
    # It exits with 0 when it could look up nothing at all.
    passed_over = [package for package in packages if "skip_reason" in package]
    if passed_over:
        why = passed_over[0]["skip_reason"]
        raise NotRun(f"{len(passed_over)} of {len(packages)} were not looked up: {why}")
    return "\n".join(
        f"{package['name']} {package['version']}: {each['id']}, mended in {each['fix_versions']}"
        for package in packages
        for each in package.get("vulns", ())
    )


def npm_audit() -> str:
    """The same of what the browser gets; what only builds it is told of, too."""
    npm, environment = find_npm()
    done = subprocess.run(
        [*npm, "--prefix", FRONTEND, "audit", "--json"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    try:
        told = json.loads(done.stdout)
        packages = told["vulnerabilities"]
    except (ValueError, KeyError):
        raise NotRun(last_line(done)) from None
    return "\n".join(
        f"{name}: {each['severity']}, {each['range']}" for name, each in packages.items()
    )


def bandit() -> str:
    """Calls that are dangerous when what they are given is somebody else's."""
    done = run([PYTHON, "-m", "bandit", "--quiet", "--configfile", "pyproject.toml", "-r", *OURS])
    return done.stdout.strip() if done.returncode else ""


def images_pinned() -> str:
    return "" if images([]) == 0 else "python -m deploy.images renew"


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return lines[-1][:300] if lines else f"it exited with {done.returncode}, without a word"


def sbom() -> None:
    """sbom/python.cdx.json and sbom/frontend.cdx.json, in CycloneDX, of the lock files."""
    install_tools()
    SBOM.mkdir(exist_ok=True)
    with step("SBOM of Python"):
        written = ("--output-reproducible", "--of", "JSON", "-o", SBOM / "python.cdx.json")
        call([PYTHON, "-m", "cyclonedx_py", "requirements", *written, "requirements.txt"])
    npm, environment = find_npm()
    with step("SBOM of the front end"):
        of = ("--sbom-format", "cyclonedx", "--package-lock-only", "--omit", "dev")
        done = subprocess.run(
            [*npm, "--prefix", FRONTEND, "sbom", *of],
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if done.returncode:
            raise Failed(f"npm sbom: {last_line(done)}")
        (SBOM / "frontend.cdx.json").write_text(done.stdout)
