"""Runs tasks and waits for their end: the function behind the migration, deployed as one file.

CloudFormation calls it when a version comes, and goes on to the services when it answered. A task
that fails, fails the deployment: the services stay as they are.
"""

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any


class NotDone(Exception):
    """A task did not start, or ended with an error; the message says which and why."""


def run(
    ecs: Any,
    tasks: list[str],
    options: dict[str, Any],
    *,
    seconds: float = 840.0,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.monotonic,
) -> None:
    """Run each of the task definitions in turn, and wait for each. Raises `NotDone`."""
    deadline = now() + seconds
    for definition in tasks:
        started = ecs.run_task(taskDefinition=definition, count=1, **options)
        if not started["tasks"]:
            raise NotDone(f"{definition} was not started: {started['failures']}")
        arn = started["tasks"][0]["taskArn"]
        while True:
            found = ecs.describe_tasks(cluster=options["cluster"], tasks=[arn])["tasks"]
            if found and found[0]["lastStatus"] == "STOPPED":
                break
            if now() > deadline:
                raise NotDone(f"{definition} did not end in {seconds:.0f} s")
            sleep(3)
        container = found[0]["containers"][0]
        if container.get("exitCode") != 0:
            why = container.get("reason") or found[0].get("stoppedReason")
            raise NotDone(f"{definition} exited {container.get('exitCode')}: {why}")


def answer(event: dict[str, Any], status: str, reason: str) -> None:
    """Tell CloudFormation, at the address that it gave."""
    said = {
        "Status": status,
        "Reason": reason[:800],
        "PhysicalResourceId": "migration",
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
    }
    request = urllib.request.Request(
        event["ResponseURL"], json.dumps(said).encode(), {"Content-Type": ""}, method="PUT"
    )
    urllib.request.urlopen(request, timeout=10)


def handler(event: dict[str, Any], _context: object) -> None:
    status, reason = "SUCCESS", "done"
    try:
        if event["RequestType"] != "Delete":
            import boto3

            asked = event["ResourceProperties"]
            run(boto3.client("ecs"), asked["Tasks"], json.loads(asked["Options"]))
    except Exception as error:
        status, reason = "FAILED", str(error)
    answer(event, status, reason)
