"""What deploys to AWS with us: the function that runs a task and waits, and what a month costs."""

import ast
from collections.abc import Sequence
from typing import Any

import pytest

from deploy.aws.costs import HOURLY, MONTHLY, costs, tasks
from deploy.aws.run_once import NotDone, run
from deploy.aws.settings import LARGE, SETTINGS, SMALL, Setting
from eqtrade.up.options import PROJECT

OPTIONS = {"cluster": "core"}


class Ecs:
    """ECS as its API answers: each task is seen running once, then stopped with its exit code; when
    there is none left, it runs on."""

    def __init__(self, exits: Sequence[int | None], *, starts: bool = True) -> None:
        self._exits, self._starts = list(exits), starts
        self.calls: list[str] = []

    def run_task(self, *, taskDefinition: str, count: int, cluster: str) -> dict[str, Any]:  # noqa: N803
        assert (count, cluster) == (1, "core")
        self.calls.append(f"run {taskDefinition}")
        self._looks = 0
        if not self._starts:
            return {"tasks": [], "failures": [{"reason": "RESOURCE:MEMORY"}]}
        return {"tasks": [{"taskArn": f"arn:{taskDefinition}"}], "failures": []}

    def describe_tasks(self, *, cluster: str, tasks: list[str]) -> dict[str, Any]:
        self._looks += 1
        if self._looks == 1:
            return {"tasks": []}
        if self._looks == 2 or not self._exits:
            return {"tasks": [{"lastStatus": "RUNNING", "containers": [{}]}]}
        self.calls.append(f"ended {tasks[0]}")
        container = {"exitCode": self._exits.pop(0), "reason": "why"}
        return {"tasks": [{"lastStatus": "STOPPED", "containers": [container]}]}


def test_each_task_ends_before_the_next_begins() -> None:
    ecs = Ecs([0, 0])
    run(ecs, ["roles", "migrate"], OPTIONS, sleep=lambda _: None)
    assert ecs.calls == ["run roles", "ended arn:roles", "run migrate", "ended arn:migrate"]


@pytest.mark.parametrize("code", [1, None])
def test_a_task_that_fails_ends_it(code: int | None) -> None:
    ecs = Ecs([code])
    with pytest.raises(NotDone, match=f"roles exited {code}: why"):
        run(ecs, ["roles", "migrate"], OPTIONS, sleep=lambda _: None)
    assert "run migrate" not in ecs.calls


def test_a_task_without_room_is_told() -> None:
    with pytest.raises(NotDone, match="RESOURCE:MEMORY"):
        run(Ecs([], starts=False), ["roles"], OPTIONS)


def test_a_task_without_end_is_told_before_the_function_is_ended() -> None:
    clock = iter(range(0, 10_000, 400))
    with pytest.raises(NotDone, match="did not end in 840 s"):
        run(Ecs([]), ["migrate"], OPTIONS, sleep=lambda _: None, now=lambda: float(next(clock)))


def test_the_function_is_one_file_of_the_standard_library() -> None:
    """It is deployed as a text, of at most 4 KiB; boto3 is there."""
    text = (PROJECT / "deploy/aws/run_once.py").read_text()
    assert len(text.encode()) <= 4096
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(text))
        for name in (
            [a.name for a in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= {"json", "time", "urllib", "collections", "typing", "boto3"}


def test_every_price_that_a_setting_needs_is_there() -> None:
    for setting in SETTINGS.values():
        found = costs(setting)
        assert all(dollars >= 0 for dollars in found.values())
        assert 50 < sum(found.values()) < 5_000
    assert all(price > 0 for price in (*HOURLY.values(), *MONTHLY.values()))


def test_a_cost_by_hand() -> None:
    """Of the large setting's entrance: two tasks of a core and two GiB, 730 hours."""
    assert tasks(LARGE, entrance=True) == pytest.approx(730 * 2 * (0.04048 + 2 * 0.004445))
    assert tasks(SMALL, entrance=True) == 0


@pytest.mark.parametrize("setting", [SMALL, LARGE], ids=["small", "large"])
def test_its_runbook_says_what_it_costs(setting: Setting) -> None:
    total = round(sum(costs(setting).values()), -1)
    text = (PROJECT / "docs/runbooks/aws.md").read_text()
    assert f"| {setting.name} |" in text
    row = next(line for line in text.splitlines() if line.startswith(f"| {setting.name} |"))
    assert f"{total:,.0f}" in row


def test_the_small_machines_hold_what_runs_on_them() -> None:
    """Of 1 and 4 GiB, less what the system and ECS's agent take; one nginx a machine, and a second
    one beside it while versions change."""
    nginx = SMALL.parts["nginx"]
    assert 2 * nginx.memory < 1024 - 500
    core = sum(size.tasks * size.memory for n, size in SMALL.parts.items() if n != "nginx")
    assert core < 4096 - 600
