"""What the code host does by itself: nothing that was not checked is rolled out, nothing may more
than it must, and every step is a script that runs here, too."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.develop import CODE_HOST
from eqtrade.up.options import PROJECT

FILE = PROJECT / ".github" / "workflows" / "main.yml"
TEXT = FILE.read_text()
FLOW: dict[Any, Any] = yaml.safe_load(TEXT)
JOBS: dict[str, dict[str, Any]] = FLOW["jobs"]
STEPS = [(name, step) for name, job in JOBS.items() for step in job["steps"]]
# What needs somebody's word at AWS, and what has to have passed before.
TRUSTED = {"image", "deploy"}
CHECKS = {"lint", "test", "compose", "monitoring", "failover"}


def before(job: str, jobs: dict[str, dict[str, Any]]) -> set[str]:
    """Every job that has to have succeeded before this one, by whatever way."""
    needed = jobs[job].get("needs", [])
    direct = {needed} if isinstance(needed, str) else set(needed)
    return direct.union(*(before(each, jobs) for each in direct))


def test_nothing_is_rolled_out_that_was_not_checked() -> None:
    assert before("deploy", JOBS) == CHECKS | {"image"}
    assert before("image", JOBS) == CHECKS
    for name in TRUSTED:
        # `always()` and its kin would run it whatever happened to those before.
        assert JOBS[name]["if"] == (
            "github.event_name == 'push' && github.ref == 'refs/heads/main'"
        )
    for name, job in JOBS.items():
        assert "continue-on-error" not in job, name
        assert name in TRUSTED or "if" not in job, name
    for name, step in STEPS:
        assert not {"continue-on-error", "if"} & step.keys(), name


def test_nobody_may_more_than_it_must() -> None:
    assert FLOW["permissions"] == {}
    # `on` is a word for true to YAML.
    assert set(FLOW[True]) == {"pull_request", "push"}
    assert FLOW[True]["push"] == {"branches": ["main"]}
    for name, job in JOBS.items():
        trusted = {"id-token": "write"} if name in TRUSTED else {}
        assert job["permissions"] == {"contents": "read", **trusted}, name
        assert ("environment" in job) == (name in TRUSTED), name
        assert job["timeout-minutes"] <= 90
    assert not re.search(r"\bsecrets\.\w", TEXT)
    for name, step in STEPS:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False, name


def test_every_action_is_one_content_for_ever() -> None:
    used = re.findall(r"uses: (.*)", TEXT)
    assert len(used) > 5
    for each in used:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each), each
    # One action, one commit.
    assert len({each.split("@")[0] for each in used}) == len(set(used))


def test_every_step_is_a_script_that_runs_anywhere() -> None:
    targets = re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    for name, step in STEPS:
        if "run" not in step:
            continue
        program, *arguments = step["run"].split()
        if program == "make":
            assert arguments[0] in targets, name
            continue
        file = PROJECT / program
        assert file.stat().st_mode & 0o100, program
        if program == ".ci/run":
            assert set(arguments) <= set(targets), name
        # Nothing that somebody else can name, as a branch, is part of a command.
        assert "${{" not in step["run"], name


def test_the_oldest_and_the_newest_python_are_tried() -> None:
    tried = JOBS["test"]["strategy"]["matrix"]["python"]
    script = (PROJECT / "deploy" / "python.sh").read_text()
    known = re.findall(r"python(3\.\d+) ", script)
    assert tried == [known[-1], known[0]]


@pytest.mark.parametrize("name", CODE_HOST)
def test_the_checks_of_lint_find_what_is_wrong(name: str, tmp_path: Path) -> None:
    """Each passes what is there, and not a copy with a fault."""
    command = [str(part) for part in CODE_HOST[name]]
    assert run(command, PROJECT) == 0
    copy = tmp_path / ".github" / "workflows" / "main.yml"
    copy.parent.mkdir(parents=True)
    (tmp_path / ".github" / "dependabot.yml").write_text("version: 3\n")
    copy.write_text(re.sub(r"@[0-9a-f]{40} # ", "@", TEXT).replace("runs-on:", "runs-off:"))
    assert run(command, tmp_path) != 0


def run(command: list[str], folder: Path) -> int:
    return subprocess.run(command, cwd=folder, capture_output=True, timeout=120).returncode
