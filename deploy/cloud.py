"""What writes and checks the templates of deploy/aws: an environment of its own, .venv-aws."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.installing import find_npm
from deploy.own_venv import ready
from deploy.steps import PROJECT

VENV = PROJECT / ".venv-aws"
PYTHON = VENV / "bin" / "python"
LOCK = PROJECT / "deploy" / "aws" / "requirements.txt"


def ready_cloud(python: Sequence[str | Path]) -> None:
    ready(VENV, LOCK, python)


def node_environment() -> Mapping[str, str]:
    """An environment in which the library finds a node: it runs in one."""
    _, environment = find_npm()
    # It says which versions its makers still try; ours is tried by our tests.
    return {**environment, "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1"}
