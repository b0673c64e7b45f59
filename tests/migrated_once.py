"""One migration for all processes of a parallel run: it takes each of them a quarter of a minute.
The first makes it, the others begin with a copy of its cluster."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from eqtrade.up.postgres import PostgresServer

NAME = "a-migrated-cluster"


def migrated_once(
    cluster: PostgresServer, temporary: pytest.TempPathFactory, migrate: Callable[[], None]
) -> Path | None:
    """Have the running cluster migrated, by `migrate` or as a copy. What was kept for the others is
    to be removed by whoever gets its place."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        migrate()
        return None
    shared = temporary.getbasetemp().parent
    kept = shared / NAME
    with (shared / f"{NAME}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if kept.exists():
            cluster.stop()
            shutil.rmtree(cluster.data_dir)
            _copy(kept, cluster.data_dir)
            # Its settings name another place for the socket.
            cluster.init()
            cluster.start()
            return None
        migrate()
        cluster.stop()
        _copy(cluster.data_dir, kept)
        cluster.start()
    return kept


def _copy(data: Path, place: Path) -> None:
    """The data of a stopped cluster, with its owner: as root that is another account."""
    unfinished = place.with_name(f"{place.name}.new")
    subprocess.run(["cp", "-a", data, unfinished], check=True)
    unfinished.rename(place)
