"""The templates of both settings, written once for all tests, without a network and without AWS."""

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from deploy.aws.settings import SETTINGS
from deploy.cloud import PYTHON, node_environment
from eqtrade.up.options import PROJECT

CERTIFICATE = "arn:aws:acm:eu-west-1:111122223333:certificate/0b2c3d4e-1111-2222-3333-444455556666"
HEARTBEAT = "https://watch.example.com/closes"
SECONDS = 300
NEEDS_CDK = [
    # Written once: on one worker.
    pytest.mark.xdist_group("aws"),
    pytest.mark.skipif(
        not PYTHON.exists(),
        reason="the tools of deploy/aws are not installed here: `make test` does (.venv-aws)",
    ),
]
"""Marks of whatever reads them."""


def context(setting: str) -> dict[str, object]:
    """What an operator says by `-c`, beside what deploy/aws/cdk.json says."""
    said: dict[str, object] = json.loads((PROJECT / "deploy/aws/cdk.json").read_text())["context"]
    return {
        **said,
        "setting": setting,
        "region": "eu-west-1",
        "domain": "eqtrade.example.com",
        "certificate": CERTIFICATE,
        "version": "1.0",
        "alarms_to": "operations@example.com",
        "heartbeat_closes_url": HEARTBEAT if setting == "large" else "",
    }


def write(setting: str, directory: Path) -> Path:
    """Synthesize one setting; the template of its system."""
    # No credentials, no region and no proxy of this machine: a look-up would fail.
    environment = {
        "PATH": node_environment()["PATH"],
        "HOME": str(directory),
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
        "CDK_OUTDIR": str(directory / setting),
        "CDK_CONTEXT_JSON": json.dumps(context(setting)),
    }
    done = subprocess.run(
        [PYTHON, "-m", "deploy.aws"], cwd=PROJECT, env=environment, timeout=SECONDS,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return directory / setting / f"eqtrade-{setting}.template.json"


def write_all(directory: Path) -> dict[str, Path]:
    with ThreadPoolExecutor() as pool:
        return dict(zip(SETTINGS, pool.map(lambda s: write(s, directory), SETTINGS), strict=True))


class Found:
    """The resources of one template."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.template = json.loads(file.read_text())
        self.resources: dict[str, dict[str, Any]] = self.template["Resources"]

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties of each resource of a kind, by its name."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }

    def one(self, kind: str) -> dict[str, Any]:
        (found,) = self.of(kind).values()
        return found

    def services(self) -> dict[str, dict[str, Any]]:
        return {p["ServiceName"]: p for p in self.of("AWS::ECS::Service").values()}

    def containers(self) -> dict[str, dict[str, Any]]:
        return {
            p["ContainerDefinitions"][0]["Name"]: p["ContainerDefinitions"][0]
            for p in self.of("AWS::ECS::TaskDefinition").values()
        }

    def statements(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every statement of what an identity may do."""
        for name, resource in self.resources.items():
            properties = resource.get("Properties", {})
            documents = [p["PolicyDocument"] for p in properties.get("Policies", ())]
            if resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
                documents.append(properties["PolicyDocument"])
            for document in documents:
                for statement in document["Statement"]:
                    yield name, statement


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
