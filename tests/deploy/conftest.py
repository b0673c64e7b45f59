"""The templates of both settings on AWS, for all tests of them."""

from pathlib import Path

import pytest

from deploy.aws.settings import SETTINGS
from tests.deploy.templates import Found, write_all


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_all(tmp_path_factory.mktemp("aws"))


@pytest.fixture(params=sorted(SETTINGS))
def found(request: pytest.FixtureRequest, files: dict[str, Path]) -> Found:
    return Found(files[request.param])
