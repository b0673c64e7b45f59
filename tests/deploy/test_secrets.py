"""deploy/secrets.sh: a secret for each part, made once, and nowhere else."""

import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from eqtrade.secret_files import refuse_weak_key
from eqtrade.up.options import PROJECT

FILE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
# Those of the files over it are made with the others.
OVER = ("replication_password", "backup_key", "grafana_password")
NAMES = sorted([*FILE["secrets"], *OVER])


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "deploy").mkdir()
    shutil.copy(PROJECT / "deploy" / "secrets.sh", tmp_path / "deploy")
    return tmp_path


def made(checkout: Path) -> dict[str, str]:
    subprocess.run([checkout / "deploy" / "secrets.sh"], check=True, capture_output=True)
    return {file.name: file.read_text() for file in (checkout / "secrets").iterdir()}


def test_one_for_each_that_compose_mounts(checkout: Path) -> None:
    found = made(checkout)
    assert sorted(found) == NAMES
    assert len(set(found.values())) == len(NAMES)
    for value in found.values():
        refuse_weak_key(value)


def test_nobody_else_enters_and_every_container_reads(checkout: Path) -> None:
    made(checkout)
    directory = checkout / "secrets"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()} == {0o444}


def test_what_is_there_stays(checkout: Path) -> None:
    first = made(checkout)
    (checkout / "secrets" / "redis_password").unlink()
    second = made(checkout)
    assert second.pop("redis_password") != first.pop("redis_password")
    assert second == first


def test_what_stood_in_env_is_taken_over(checkout: Path) -> None:
    lines = ["POSTGRES_RUNTIME_PASSWORD='a:b@c/d?e#f%g \"x\"'", "REDIS_PASSWORD=\"plain\"",
             "SECRET_KEY=unquoted=", "#POSTGRES_OWNER_PASSWORD=not this"]  # fmt: skip
    (checkout / ".env").write_text("\n".join(lines))
    found = made(checkout)
    assert found["runtime_password"] == 'a:b@c/d?e#f%g "x"'
    assert (found["redis_password"], found["secret_key"]) == ("plain", "unquoted=")
    assert len(found["owner_password"]) >= 50
