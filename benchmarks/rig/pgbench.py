"""A statement run by pgbench: as fast as PostgreSQL itself can take it."""

import os
import re
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rig.stacks import Stack
from eqtrade.database_roles import DATABASE, RUNTIME
from eqtrade.up.accounts import server_account
from eqtrade.up.binaries import postgres_bin
from eqtrade.up.runtime import load_secrets


@dataclass(frozen=True)
class Benched:
    """One run: how many transactions were committed, and what each took in milliseconds."""

    count: int
    seconds: float
    latencies: list[float]
    cpu_seconds: float
    """Of pgbench itself."""


def pgbench(
    stack: Stack, script: str, *, clients: int, seconds: int, variables: Mapping[str, int]
) -> Benched:
    """Run the script prepared, as the stack's runtime role, by so many clients."""
    secret = load_secrets(stack.layout)["runtime"]
    with tempfile.TemporaryDirectory(prefix="eqtrade-pgbench-") as place:
        file = Path(place) / "script.sql"
        file.write_text(script)
        before = _children()
        done = subprocess.run(
            [
                *(_program(), "--no-vacuum", "--protocol", "prepared", "--file", str(file)),
                *("--client", str(clients), "--jobs", "1", "--time", str(seconds)),
                *("--log", "--log-prefix", str(Path(place) / "log")),
                *(f"--define={name}={value}" for name, value in variables.items()),
                *("--host", str(stack.layout.postgres_sockets), "--username", RUNTIME, DATABASE),
            ],
            env={**os.environ, "PGPASSWORD": secret},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        cpu_seconds = _children() - before
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
        failed = re.search(r"number of failed transactions: ([0-9]+)", said)
        assert failed is None or failed[1] == "0", said
        count = _number("actually processed: ([0-9]+)", said)
        # On a busy machine a short run may end before all are connected; then there is no rate.
        took = count / _number("tps = (\\S+)", said) if count else float(seconds)
        latencies = [
            int(line.split()[2]) / 1000
            for log in Path(place).glob("log.*")
            for line in log.read_text().splitlines()
        ]
    assert len(latencies) == count, f"{len(latencies)} logged of {count}"
    return Benched(int(count), took, latencies, cpu_seconds)


def _program() -> str:
    """That of the embedded PostgreSQL, or one on the path."""
    embedded = postgres_bin(server_account()) / "pgbench"
    found = str(embedded) if embedded.exists() else shutil.which("pgbench")
    assert found, "there is no pgbench, neither in the wheel nor on the path"
    return found


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    assert found is not None, text
    return float(found[1])


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
