"""The Makefile's targets. Standard library only: it also makes the virtual environment.

Each step is done only when something changed since it was last done, and says how long it took.
Every Python program is started as `python -m`: the scripts that pip writes name their interpreter
in their first line, where a path with a space does not work.
"""

# ruff: noqa: T201
# It talks to a terminal.

import argparse
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.audit import VENV as AUDIT_VENV
from deploy.audit import audit, sbom
from deploy.browser import ready_browser
from deploy.cloud import VENV as CLOUD_VENV
from deploy.cloud import ready_cloud
from deploy.ha_tools import VENV as HA_VENV
from deploy.installing import (
    ALL_GROUPS,
    FRONTEND,
    IMAGE_GROUPS,
    PYTHON,
    RUN_GROUPS,
    TRACES,
    VENV,
    build_frontend,
    find_npm,
    install,
    install_frontend,
    make_venv,
    ready_uv,
)
from deploy.promtool import UNPACKED as PROMTOOL
from deploy.promtool import ready_promtool
from deploy.release import Release
from deploy.steps import PROJECT, Failed, alone, call, step

TERMS_TABLE = FRONTEND / "src" / "lib" / "terms.json"


WORKFLOWS = ".github/workflows/main.yml"
# In the folder that has .github. None of them asks a network.
CODE_HOST: Mapping[str, Sequence[str | Path]] = {
    "workflows' dangers": (
        *(VENV / "bin" / "zizmor", "--offline", "--no-config", "--no-progress", "--quiet"),
        *("--persona", "auditor", ".github"),
    ),
    "workflows' schema": (
        *(PYTHON, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"),
        WORKFLOWS,
    ),
    "Dependabot's schema": (
        *(PYTHON, "-m", "check_jsonschema", "--builtin-schema", "vendor.dependabot"),
        ".github/dependabot.yml",
    ),
}


def main() -> int:
    """Do one target; 1 when a step failed, 130 after Ctrl-C."""
    targets = {
        "run": prepare_run,
        "test": test,
        "lint": lint,
        "format": format_sources,
        "api": api,
        "bench": bench,
        "compose-test": compose_test,
        "ha-test": ha_test,
        "fresh-test": fresh_test,
        "lock": lock,
        "audit": lambda _: audit(),
        "sbom": lambda _: sbom(),
        "release": release,
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
        install((*RUN_GROUPS, *(("traces",) if os.environ.get(TRACES) else ())))
        build_frontend()


def test(arguments: Sequence[str]) -> None:
    """Install what the tests need, then run them; arguments go to pytest."""
    with alone():
        make_venv()
        install(ALL_GROUPS)
        ready_cloud([sys.executable])
        ready_browser()
        ready_promtool()
        build_frontend()
        install_frontend()
    if not arguments:
        npm, npm_environment = find_npm()
        with step("tests of the front end"):
            call([*npm, "--prefix", FRONTEND, "run", "--silent", "test"], npm_environment)
    with step("tests"):
        # A system that does not come up would fail each of its tests after a long wait.
        enough = ("--maxfail", "30")
        call(
            [PYTHON, "-m", "pytest", "-n", "2", "--dist", "loadgroup", *enough, *arguments],
            _environment_of_tests(),
        )


def _environment_of_tests() -> dict[str, str]:
    """Scripts that are tried find a python3, which a bare machine need not have. And some hundred
    processes start: each would compile what it imports, for 3 s of a core."""
    environment = {**os.environ, "PATH": f"{PYTHON.parent}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def lint(_arguments: Sequence[str]) -> None:
    """Run every check, also after one failed."""
    with alone():
        make_venv()
        install(ALL_GROUPS)
        install_frontend()
    import_linter = "from importlinter.cli import lint_imports_command as c; c()"
    npm, npm_environment = find_npm()
    checks: Mapping[str, tuple[Sequence[str | Path], Mapping[str, str] | None]] = {
        "ruff check": ([PYTHON, "-m", "ruff", "check", "."], None),
        "ruff format": ([PYTHON, "-m", "ruff", "format", "--check", "."], None),
        "mypy": ([PYTHON, "-m", "mypy", "."], None),
        "hadolint": (
            [VENV / "bin" / "hadolint", "--failure-threshold", "style", *dockerfiles()],
            None,
        ),
        "shellcheck": ([VENV / "bin" / "shellcheck", *shell_scripts()], None),
        **{name: (command, None) for name, command in CODE_HOST.items()},
        "import-linter": ([PYTHON, "-c", import_linter], None),
        "API schema": api_schema(),
        # Out of step? `make api` makes both anew.
        "API types": (
            [*npm, "--prefix", FRONTEND, "run", "--silent", "api:check"],
            npm_environment,
        ),
        "table of terms": ([PYTHON, "-m", "trades.terms", "--check", TERMS_TABLE], None),
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


def format_sources(_arguments: Sequence[str]) -> None:
    """Mend what ruff can mend by itself; what is left, `make lint` refuses."""
    with alone():
        make_venv()
        install(ALL_GROUPS)
    with step("ruff check --fix"):
        call([PYTHON, "-m", "ruff", "check", "--fix", "--exit-zero", "."])
    with step("ruff format"):
        call([PYTHON, "-m", "ruff", "format", "."])


def api(_arguments: Sequence[str]) -> None:
    """Make anew what the front end has of the back end: the API's types and the table of terms."""
    with alone():
        make_venv()
        install(ALL_GROUPS)
        install_frontend()
    npm, npm_environment = find_npm()
    with step("API schema"):
        call(*api_schema())
    with step("API types"):
        call([*npm, "--prefix", FRONTEND, "run", "--silent", "api"], npm_environment)
    with step("table of terms"):
        call([PYTHON, "-m", "trades.terms", "--write", TERMS_TABLE])


def api_schema() -> tuple[Sequence[str | Path], Mapping[str, str]]:
    """The command that writes the schema where `npm run api` reads it, and its environment."""
    schema = (
        "spectacular",
        "--format",
        "openapi-json",
        "--file",
        "frontend/node_modules/.openapi.json",
    )
    # No server is asked: the schema is made from the code alone.
    no_servers = {
        "EQTRADE_TESTING": "1",
        "SECRET_KEY": "lint",
        "DATABASE_URL": "postgres:///none",
        "REDIS_URL": "unix:///nonexistent/valkey.sock?db=0",
    }
    return [PYTHON, "-W", "ignore", "manage.py", *schema], os.environ | no_servers


def dockerfiles() -> list[Path]:
    return [PROJECT / "Dockerfile", *sorted((PROJECT / "deploy").rglob("Dockerfile"))]


def shell_scripts() -> list[Path]:
    """Every script of ours that a shell reads."""
    return sorted([*(PROJECT / "deploy").rglob("*.sh"), *(PROJECT / "deploy").rglob("*.envsh")])


def bench(arguments: Sequence[str]) -> None:
    """Run the benchmarks: those named, or all but the largest."""
    with alone():
        make_venv()
        install(ALL_GROUPS)
        build_frontend()
    with step("benchmarks"):
        call([PYTHON, "-m", "benchmarks", *arguments])


def compose_test(arguments: Sequence[str]) -> None:
    """Try the system in containers; arguments go to tests/compose."""
    with alone():
        make_venv()
        install(ALL_GROUPS)
    call([PYTHON, "-m", "tests.compose", *arguments])


def ha_test(arguments: Sequence[str]) -> None:
    """Kill and freeze databases under load; arguments go to tests/ha."""
    with alone():
        make_venv()
        install(ALL_GROUPS)
        if not {"--containers", "--restore"} & set(arguments):
            call([PYTHON, "-m", "deploy.ha_tools"])
            build_frontend()
    call([PYTHON, "-m", "tests.ha", *arguments])


def fresh_test(arguments: Sequence[str]) -> None:
    """Try `make run` and `make test` on a bare Debian; arguments go to tests/fresh."""
    call([sys.executable, "-m", "tests.fresh", *arguments])


def lock(arguments: Sequence[str]) -> None:
    """Resolve pyproject.toml anew for every Python and platform, and write requirements.txt of what
    containers install. `--upgrade` takes the newest versions; else those that are locked stay."""
    with alone():
        make_venv()
        uv = ready_uv(VENV)
    # What this machine is set to is nobody else's: the lock names the public index and no other.
    environment = {n: v for n, v in os.environ.items() if not n.startswith("UV_")}
    with step("uv.lock"):
        call([uv, "lock", "--quiet", "--no-config", *arguments], environment)
    groups = [f"--group={group}" for group in IMAGE_GROUPS]
    whole = ("--no-default-groups", "--no-emit-project", "--no-header")
    file = ("--format", "requirements.txt", "--output-file", "requirements.txt")
    with step("requirements.txt"):
        call([uv, "export", "--quiet", "--frozen", *whole, *groups, *file], environment)


def release(_arguments: Sequence[str]) -> None:
    """Roll a version out on AWS, and back when it is not well."""
    with alone():
        ready_cloud([sys.executable])
    Release.from_environment(os.environ).run()


def clean(_arguments: Sequence[str]) -> None:
    """Remove DATA_DIR, if no stack runs there, and everything that was installed or built."""
    if PYTHON.exists():
        with step("data"):
            call([PYTHON, "-m", "eqtrade.up.clean"])
    elif (PROJECT / (os.environ.get("DATA_DIR") or ".data")).exists():
        print("  the data stays: only `make run` knows how to remove it; run that first")
    with step("installed and built files"):
        venvs = (VENV, AUDIT_VENV, CLOUD_VENV, HA_VENV, PROMTOOL)
        for directory in (*venvs, FRONTEND / "node_modules", FRONTEND / "dist"):
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
