"""Places for real servers: with a space in the path, and open to PostgreSQL's account."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that any account may pass through, unlike pytest's own when root runs it."""
    path = Path(tempfile.mkdtemp(prefix="eqtrade test ", dir="/tmp"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)
