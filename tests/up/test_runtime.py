"""manage.py finds the running stack, and does not find a dead one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from eqtrade.up.layout import Layout
from eqtrade.up.leftovers import Recorded
from eqtrade.up.options import PROJECT
from eqtrade.up.runtime import load_secrets, publish_environment, running_environment


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path.resolve())
    layout.run.mkdir()
    return layout


def test_none_runs_where_nothing_is(tmp_path: Path) -> None:
    assert running_environment(tmp_path / "nowhere") is None


def test_the_environment_of_a_running_stack(layout: Layout) -> None:
    publish_environment(layout, os.getpid(), {"REDIS_URL": "unix:///s"})

    assert running_environment(layout.data_dir) == {"REDIS_URL": "unix:///s"}
    assert layout.environment.stat().st_mode & 0o777 == 0o600


def test_the_environment_of_a_killed_stack_does_not_count(layout: Layout) -> None:
    dead = Recorded("supervisord", os.getpid(), "an-earlier-boot:1").as_dict()
    layout.environment.write_text(json.dumps({"supervisor": dead, "environment": {"A": "b"}}))

    assert running_environment(layout.data_dir) is None


def test_secrets_are_made_once_and_private(layout: Layout) -> None:
    first = load_secrets(layout)

    assert load_secrets(layout) == first
    assert len(set(first.values())) == len(first) == 4
    assert layout.secrets.stat().st_mode & 0o777 == 0o600


def test_manage_py_says_clearly_that_no_stack_runs(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert f"No eqtrade stack is running with DATA_DIR={tmp_path}" in done.stderr
    assert "Traceback" not in done.stderr
